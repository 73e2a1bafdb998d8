"""The months as Java shortens them, in the languages that it knows: made by a program, not written by hand.

These are the words that ``DateFormatSymbols.getShortMonths`` and the pattern ``MMM`` of ``DateTimeFormatter`` give for
every locale with a language of two letters, in OpenJDK 17 with ``java.locale.providers`` set to ``CLDR`` and to
``COMPAT``, which has the words of Java 8, and in OpenJDK 25. Where a word means one month in a language that Java 8
knew and another one in a rarer language, it is the former; what two of the former disagree on (lip, lis, srp) is left
out, since an unknown date is found elsewhere and a wrong one is not noticed.
"""
# ruff: noqa: RUF001 - months are written as Java writes them

from __future__ import annotations

from typing import Final

#: By the month's number, parted by bars.
WORDS: Final = {
    1: (
        "1|1-р сар|1月|1월|Ama|Cio|Ean|Ene|Faoi|Fer|Gen|Gen.|Hān|I|Ian|Ion|J-guer|JEN|Jan|Jan.|Jen|Jän|Jän."
        "|Kohi|Led|Mut.|Ndi|Nye|Oca|Oshù Shɛ́rɛ́|Oṣù Ṣẹ́rẹ́|Phe|S-Ɔ|Sam|Sau|Shɛ́r|Sān|Zib|de gen.|de genièr"
        "|dzv|ene|ene.|gen|ghe|ian.|jaan|jan|jan.|janv.|led|mut.|ndwenit|ođđj|rbn|rêb|saus.|schan.|sii|sij"
        "|sty|tammi|tammik.|tammikuuta|thg 1|urt.|xan.|yan|zan|ýan|Ɔpɛpɔn|Ιαν|Янв|гыйн.|кӑр.|стд|сту|січ.|янв"
        "|янв.|яну|јан|јан.|қаң.|հնվ|יאַנואַר|ינו|ינו׳|جانفي|جنؤری|جنو|جنوري|جنوری|كانون الثاني|يانۋار|ينا"
        "|يناير|ژانویه|ژانویهٔ|जन|जनवरी|जनवरी:|जन॰|जाने|জানু|ਜਨ|જાન્યુ|ଜାନୁଆରୀ|ஜன.|జన|ಜನ|ಜನವರಿ|ജനു|ජන|ม.ค."
        "|ມ.ກ.|༡|ཟླ་༡|ဇန်|იან|ጃን|ጃንዩ|ጥሪ|មករា|Ṣẹ́r|一月|ꋍꆪ|𞤅𞤭𞥅𞤤𞤮"
    ),
    2: (
        "2|2-р сар|2月|2월|Chwef|Cʼhwe.|Fab|Feabh|Feb|Feb.|Few|Fra|Fēp|Gas.|Gearr|Gur|Hui|Hwe|II|K-Ɔ|Kuk|Lui"
        "|Lut|Nhlo|Oshù Èrèlè|Oṣù Èrèlè|Péb|Pēp|Shk|T-arree|Tlh|Vas|WKR|col|de febr.|de febrièr|dzd|favr.|fbl"
        "|feb|feb.|febr|febr.|fev|fev.|few|fre|fév.|févr.|gas.|guov|helmi|helmik.|helmikuuta|lut|ndwenngeih"
        "|ots.|reş|sbt|shk|thg 2|vas.|veebr|velj|Èrèl|Úno|úno|Şub|Ɔgyefoɔ|Φεβ|Фев|ақп.|лют|лют.|нар.|феб|фев"
        "|фев.|февр.|փտվ|פֿעברואַר|פבר|פבר׳|شباط|فبر|فبراير|فبروري|فبروری|فرؤری|فروری|فوریه|فوریهٔ|فيبروري"
        "|فيفري|فېۋرال|फर|फरवरी:|फ़रवरी|फ़र॰|फेब्रु|फेब्रुअरी|ফেব|ফেব্ৰু|ਫ਼ਰ|ફેબ્રુ|ଫେବୃଆରୀ|பிப்.|ఫిబ్ర|ಫೆಬ್ರ"
        "|ಫೆಬ್ರವರಿ|ഫെബ്രു|පෙබ|ก.พ.|ກ.ພ.|༢|ཟླ་༢|ဖေ|თებ|ለካ|ፌብ|ፌብሩ|កុម្ភៈ|二月|ꑍꆪ|𞤕𞤮𞤤𞤼𞤮"
    ),
    3: (
        "3|3-р сар|3月|3월|Bit|Bitootessa|Bře|E-Ɔ|III|Kov|Kur|Lus|Mac|Mar|Mar.|Maw|Mayrnt|Maʻa|Mbi|Mbä|Meu"
        "|Meur.|Mop|Mrt|Mrt.|Màrt|Márta|Mäe.|Mär|März|Māe|Oshù Ɛrɛ̀nà|Oṣù Ẹrẹ̀nà|Pou|Ube|WGT|Wer.|ada|adr|bře"
        "|de març|kov.|maalis|maalisk.|maaliskuuta|mar|mar.|mars|mart|marts|mbo|mrt|mrt.|msi|márc.|märts"
        "|ndwensam|njuk|ožu|ted|thg 3|wer.|Ɔbɛnem|Ɛrɛ̀n|Μαρ|Мар|бер.|мар|мар.|март|нау.|пуш|сак|скв|մրտ|מערץ"
        "|מרץ|آذار|مار|مارت|مارس|مارٕچ|مارچ|मार्च|मार्च:|মার্চ|মাৰ্চ|ਮਾਰਚ|માર્ચ|ମାର୍ଚ୍ଚ|மார்.|మార్చి|ಮಾರ್ಚ್"
        "|മാർ|මාර්තු|มี.ค.|ມ.ນ.|༣|ཟླ་༣|မတ်|მარ|መጋ|ማርች|មីនា|Ẹrẹ̀n|三月|ꌕꆪ|𞤐𞤦𞤮𞥅𞤴𞤮"
    ),
    4: (
        "4|4-р сар|4月|4월|Abr|Abr.|Afi|Aib|Apr|Apr.|Apu|Avrril|Awr|Bal|Dub|E-O|Ebr|Ebr.|Elb|Eph|Epr|Gibl|IV"
        "|Kub|Mab|Mme|Muu|Ngu|Nis|Oforisuo|Oshù Ìgbé|Oṣù Ìgbé|Pae|Pri|WKN|abr|abr.|afɔ|api.|apl|apr|apr.|avr"
        "|avr.|awi|bal.|cuo|cuoŋ|dub|d’abr.|d’abril|huhti|huhtik.|huhtikuuta|kwi|ndwenseiq|nsn|pri|thg 4|tra"
        "|Ìgb|ápr.|Āpe|ʻEpe|Απρ|Апр|ака|апр|апр.|квіт.|кра|крс|сәу.|ապր|אַפּריל|אפר|אפר׳|آوریل|أبر|أبريل"
        "|أفريل|إبريل|ئاپرېل|اپر|اپريل|اپریل|نيسان|अप्रिल|अप्रै|अप्रैल|अप्रैल:|एप्रि|এপ্রি|এপ্রিল|এপ্ৰিল"
        "|ਅਪ੍ਰੈ|એપ્રિલ|ଅପ୍ରେଲ|ஏப்.|ఏప్రి|ಏಪ್ರಿ|ഏപ്രി|අප්\u200dරේල්|เม.ย.|ມ.ສ.|༤|ཟླ་༤|ဧ|აპრ|ሚያ|ኤፕሪ|មេសា|四月|ꇖꆪ|𞤅𞤫𞥅𞤼𞤮"
    ),
    5: (
        "5|5-р сар|5月|5월|Beal|Boaldyn|Bêl|Cam|Chv|Cèit|E-K|Geg|Gic.|Hara|Kvě|Kɔtɔnimma|Lum|Mae|Mai|Maj|May|Me"
        "|Mee|Mei|Mej|Mey|Mot|Méi|Mē|Nkw|Oshù Ɛ̀bibi|Oṣù Ẹ̀bibi|V|WTN|dam|de mai|de maig|duu|geg.|gic.|gln"
        "|gul|kvě|mag|mai|mai.|maijs|maio|maj|matg|may|may.|maí|maý|mei|mies|máj|máj.|mɛ|ndwenngux|svi|thg 5"
        "|touko|toukok.|toukokuuta|Ɛ̀bi|Μαΐ|Μαϊ|Май|май|майы|мам.|мая|мај|мај.|трав.|ҫу|մյս|מאי|מיי|أيار|مئ"
        "|مئي|مئی|ماي|مايو|مه|مهٔ|می|میٔ|مۍ|मई|मे|মে|মে’|ਮਈ|મે|ମଇ|மே|మే|ಮೇ|മേയ്|මැයි|พ.ค.|ພ.ພ.|༥|ཟླ་༥|မေ|მაი"
        "|ሜይ|ግን|ឧសភា|Ẹ̀bi|五月|ꉬꆪ|𞤁𞤵𞥅𞤶𞤮"
    ),
    6: (
        "6|6-р сар|6月|6월|Ayɛwohomumu|Bir|Chk|Fön|Haz|Hun|Iun|Jon|Jun|Jun.|June|Juni|Juu|Kam.|Luf|M-souree|Meh"
        "|Meith|Met|Mezh.|Nhla|O-A|Oshù Òkúdu|Oṣù Òkúdu|Pipi|Qer|Sun|Suw|VI|WTD|Wax|Yun|birž.|cze|de junh"
        "|de juny|eka.|geas|giu|hzr|iun.|iyn|iýun|jui.|juin|jun|jun.|juni|juuni|jún|jún.|jūn.|kam.|kesä"
        "|kesäk.|kesäkuuta|làm|ndwenloeg|pûş|qer|thg 6|xuño|yun|zercl.|zuw|Ògmh|Òkú|Čer|čvn|Ġun|Ιουν|Июн|июн"
        "|июн.|июны|июнь|ијн|мау.|черв.|чрв|чэр|юни|јун|јун.|ҫӗр.|հնս|יונ|יוני|ئىيۇن|جوان|جون|جوٗن|حزيران|يون"
        "|يونيو|ژوئن|जुन|जून|जून:|জুন|ਜੂਨ|જૂન|ଜୁନ|ஜூன்|జూన్|ಜೂನ್|ജൂൺ|ජූනි|มิ.ย.|ມິ.ຖ.|༦|ཟླ་༦|ဇွန်|ივნ|ሰነ|ጁን"
        "|មិថុនា|六月|ꃘꆪ|𞤑𞤮𞤪𞤧𞤮"
    ),
    7: (
        "7|7-р сар|7月|7월|A-K|Ado|Agɛ|Agẹ|Chg|Gor|Gorff|Goue.|Hōngo|Hūr|Iuch|Iul|Iúil|J-souree|Jul|Jul.|Juli"
        "|July|Kab|Kor|Kutawonsa|Len|Lie|Lul|Ntu|Oshù Agɛmɔ|Oṣù Agẹmọ|Phu|Siu|Sul|Tem|Upu|VII|WMJ|Yul|de jul."
        "|de julhet|fan.|heinä|heinäk.|heinäkuuta|iul.|iyl|iýul|juil.|juill.|jul|jul.|juli|julí|juuli|júl"
        "|júl.|jūl.|kor|korr|liep.|lug|ndwencaet|sia|suoi|thg 7|trm|trì|tîr|uzt.|xul.|yul|zul|Čvc|čvc|Ιουλ"
        "|Июл|июл|июл.|июлы|июль|ијл|лип.|лпн|ліп|утӑ|шіл.|юли|јул|јул.|հլս|יול|יולי|ئىيۇل|تموز|جول|جولاءِ"
        "|جولائی|جولای|جويلية|جوٗلایی|جُلَے|يول|يوليو|يوليوز|ژوئیه|ژوئیهٔ|जु|जुलाई|जुलाई:|जुलै|जुल॰|জুল|জুলাই"
        "|ਜੁਲਾ|જુલાઈ|ଜୁଲାଇ|ஜூலை|జులై|ಜುಲೈ|ജൂലൈ|ජූලි|ก.ค.|ກ.ລ.|༧|ཟླ་༧|ဇူ|ივლ|ሓም|ጁላይ|កក្កដា|七月|ꏃꆪ|𞤃𞤮𞤪𞤧𞤮"
    ),
    8: (
        "8|8-р сар|8月|8월|Aga|Ago|Ags|Agt|Agu|Aog|Aug|Aug.|Awst|Aww|Ağu|Aŭg|D-Ɔ|Eost|Est|Gsh|Hag|Kan.|Kol|Kük"
        "|Luanistyn|Lush|Lùna|Lún|Ncw|Ogo|Ogos|Ogs|Oshù Ògún|Oṣù Ògún|Pha|Rgp|Ut|VIII|WNN|abu.|ago|ago.|agt"
        "|août|aug|aug.|aus|avg|avg.|avq|avust|awg|aŭg|borg|dea|d’ag.|d’agost|elo|elok.|elokuuta|gel|gush|juk"
        "|kan.|kol|ndwenbet|rugp.|sie|tbx|thg 8|uti|Ògú|ágú.|Āku|Ɔsanaa|ʻAok|Αυγ|Авг|авг|авг.|ауг|жнв|жні"
        "|серп.|там.|ҫур.|օգս|אוג|אוג׳|אויגוסט|آب|آگسٽ|أغس|أغسطس|أغشت|أوت|ئاۋغۇست|اوت|اګست|اگس|اگست|غشت|अग"
        "|अगस्ट|अगस्त|अगस्त:|अग॰|ऑग|আগ|আগস্ট|ਅਗ|ઑગસ્ટ|ଅଗଷ୍ଟ|ஆக.|ఆగ|ಆಗ|ഓഗ|අගෝ|ส.ค.|ສ.ຫ.|༨|ཟླ་༨|ဩ|აგვ|ነሓ|ኦገስ"
        "|សីហា|Ọgọ|八月|ꉆꆪ|𞤔𞤵𞤳𞤮"
    ),
    9: (
        "9|9-р сар|9月|9월|Eyl|F-Ɛ|Gun|Gwen.|Gwn|Hep|IX|Leo|M-fouyir|MFómh|Mahu|Medi|Mpan|Mvu|Nze.|Oshù Owewe"
        "|Owe|Oṣù Owewe|Rgs|Sat|Seb|Sep|Sep.|Sept|Sept.|Set|Sht|Sult|Sàt|Sép|Sēp|WKD|Zář|any|cab|de set."
        "|de setembre|ira.|ndwengouj|nze.|rez|rugs.|ruj|sen|sep|sep.|sept|sept.|set|set.|sett.|sht|slt|stb"
        "|syys|syysk.|syyskuuta|szept.|sɛt|thg 9|wrz|zář|îln|čakč|Ɛbɔ|Σεπ|Сен|авӑн|вер|вер.|врс|сен|сен."
        "|сент.|сеп|сеп.|септ|септ.|қыр.|սեպ|סעפּטעמבער|ספט|ספט׳|أيلول|سبت|سبتمبر|ستمبر|سيپٽمبر|سپت|سپتامبر"
        "|سپتمبر|سېنتەبىر|سېپتمبر|شتمبر|شتنبر|सतुंबर|सप्टे|सप्टें|सितं|सितंबर|सितंबर:|सित॰|सेप्टेम्बर|ছেপ্তে"
        "|সেপ|সেপ্টেঃ|সেপ্টেম্বর|ਸਤੰ|સપ્ટે|ସେପ୍ଟେମ୍ବର|செப்.|సెప్టెం|ಸೆಪ್ಟೆಂ|സെപ്റ്റം|සැප්|ก.ย.|ກ.ຍ.|༩|ཟླ་༩"
        "|စက်|სექ|መስ|ሴፕቴ|កញ្ញា|九月|ꈬꆪ|𞤅𞤭𞤤𞤼𞤮"
    ),
    10: (
        "10|10-р сар|10月|10월|Ahinime|DFómh|Dip|Dàmh|Eki|Gum|Hed|Hyd|J-fouyir|Lun|Mfu|Mph|Ngb|Nuku|Oct|Oct."
        "|Oke|Oki|Okt|Okt.|Onk|Oshù Ɔ̀wàrà|Ott|Oṣù Ọ̀wàrà|Spa|Tet|Ukw.|WIK|X|cot|d’oct.|d’octòbre|golg|kel"
        "|kew|loka|lokak.|lokakuuta|ndwencib|oct|oct.|okt|okt.|ott|out|out.|paź|spal.|stG|tet|thg 10|ukw."
        "|urr.|yar|Říj|říj|Ɔ-A|Ɔ̀wà|ɔku|ɔtb|ʻOka|Οκτ|Окт|жовт.|кас|кст|окт|окт.|юпа|қаз.|հոկ|אוק|אוק׳|אקטאבער"
        "|آڪٽوبر|أكت|أكتوبر|ئۆكتەبىر|اکت|اکتبر|اکتوبر|اکتوٗبر|تشرين الأول|تشرين\xa0الأول|अक्टू|अक्टू॰|अक्टोबर"
        "|अक्तूबर|अक्तूबर:|अक्तू॰|अक्\u200dतूबर|ऑक्टो|অক্টো|অক্টোঃ|অক্টোবর|ਅਕਤੂ|ઑક્ટો|ଅକ୍ଟୋବର|அக்.|అక్టో|ಅಕ್ಟೋ"
        "|ഒക്ടോ|ඔක්|ต.ค.|ຕ.ລ.|༡༠|ཟླ་༡༠|အောက်|ოქტ|ኦክቶ|ጥቅ|តុលា|Ọkt|Ọ̀wà|十月|ꊰꆪ|𞤒𞤢𞤪𞤳𞤮"
    ),
    11: (
        "11|11-р сар|11月|11월|Bél|Du|Kas|Lap|M-Houney|Mbu|Nab|Ngw|Noe|Nof|Nop|Nov|Nov.|Now|Nuw|Nën|Nōv|Obubuo"
        "|Oshù Bélú|Oṣù Bélú|Pun|Rangi|Sad|Sadaasa|Samh|Tach|Ugu.|WMW|XI|ade|aza.|de nov.|de novembre|lapkr."
        "|marras|marrask.|marraskuuta|mjd|ndwencib’it|nov|nov.|now|noy|noý|nvb|nën|nóv.|ser|skáb|stA|stu"
        "|thg 11|ugu.|Ɔ-O|Νοε|Ноя|лист.|ліс|нов|ное|ное.|ноем.|ноя|ноя.|нояб.|ној|чӳк|қар.|նոյ|נאוועמבער|נוב"
        "|נוב׳|تشرين الثاني|نوامبر|نوف|نوفمبر|نوم|نومبر|نونبر|نويابىر|नवं|नवंबर|नवंबर:|नवूमबर|नव॰|नोभेम्बर"
        "|नोव्हें|নভে|নভেঃ|নভেম্বর|নৱে|ਨਵੰ|નવે|ନଭେମ୍ବର|நவ.|నవం|ನವೆಂ|നവം|නොවැ|พ.ย.|ພ.ຈ.|༡༡|ཟླ་༡༡|နို|ნოე|ሕዳ"
        "|ኖቬም|វិច្ឆិកា|十一月|ꊯꊪꆪ|ꊰꊪꆪ|𞤔𞤮𞤤𞤮"
    ),
    12: (
        "12|12-р сар|12月|12월|Ara|Cis|DIT|Dec|Dec.|Des|Des.|Dez|Dez.|Dhj|Dic|Dis|Diċ|Dés|Dùbh|Grd|Haki|Kak|Kev"
        "|Kzu.|M-Nollick|M-Ɔ|Mpal|Mud|Noll|Oshù Ɔ̀pɛ̀|Oṣù Ọ̀pẹ̀|Pro|Rhag|Sed|Tsh|Tīh|Tīs|Uku.|XII|Zvi|abe."
        "|ber|bow|brf|de decembre|de des.|dec|dec.|dek|des|des.|dets|dez|dez.|dhj|dic|dic.|dsb|dzm|déc.|gru"
        "|gruod.|joulu|jouluk.|joulukuuta|juov|nad|ndwencibngeih|pro|thg 12|uku.|Ɔpɛnimma|Ɔ̀pɛ|Δεκ|Дек|груд."
        "|дек|дек.|декем.|дец|жел.|раш.|сне|снж|դեկ|דעצעמבער|דצמ|דצמ׳|دجمبر|دجنبر|دسامبر|دسم|دسمبر|ديس|ديسمبر"
        "|دېكابىر|كانون الأول|ڊسمبر|डिसं|डिसें|डिसेम्बर|दसमबर|दिसं|दिसंबर|दिसंबर:|दिस॰|ডিচে|ডিসে|ডিসেঃ"
        "|ডিসেম্বর|ਦਸੰ|ડિસે|ଡିସେମ୍ବର|டிச.|డిసెం|ಡಿಸೆಂ|ഡിസം|දෙසැ|ธ.ค.|ທ.ວ.|ཟླ་༡༢|ဒီ|დეკ|ታሕ|ዲሴም|ធ្នូ|Ọ̀pẹ|十二月"
        "|ꊰꑋꆪ|𞤄𞤮𞤱𞤼𞤮|𞤐𞤦𞤮𞤱𞤼𞤮"
    ),
}
