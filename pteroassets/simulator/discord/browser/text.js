"use strict";
// Texts as Discord shows them: its Markdown, mentions, times. Everything is escaped before it becomes HTML.

const escapeText = (text) => text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);

const UNITS = [["year", 31536000], ["month", 2592000], ["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];

function relative(seconds) {
  const words = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
  const [unit, size] = UNITS.find(([, one]) => Math.abs(seconds) >= one) || UNITS[5];
  return words.format(Math.round(seconds / size), unit);
}

const TIMES = {
  t: { timeStyle: "short" }, T: { timeStyle: "medium" }, d: { dateStyle: "short" }, D: { dateStyle: "long" },
  f: { dateStyle: "long", timeStyle: "short" }, F: { dateStyle: "full", timeStyle: "short" },
};

function shownTime(stamp, style) {
  const date = new Date(Number(stamp) * 1000);
  const full = date.toLocaleString("en", TIMES.F);
  const text = style === "R" ? relative((date - Date.now()) / 1000) : date.toLocaleString("en", TIMES[style] || TIMES.f);
  return `<time class="mention" datetime="${date.toISOString()}" title="${full}">${text}</time>`;
}

function named(kind, id, names) {
  const name = names[kind === "#" ? "channels" : kind === "@&" ? "roles" : "users"][id] || "unknown";
  return `<span class="mention">${kind[0]}${escapeText(name)}</span>`;
}

const INLINE = [
  [/\\([^0-9A-Za-z\s])/y, (_, sign) => escapeText(sign)],
  [/`([^`]+)`/y, (_, code) => `<code>${escapeText(code)}</code>`],
  [/<t:(-?\d+)(?::([tTdDfFR]))?>/y, (_, stamp, style) => shownTime(stamp, style)],
  [/<(@&|@!?|#)(\d+)>/y, (_, kind, id, names) => named(kind.replace("!", ""), id, names)],
  [/@(everyone|here)\b/y, (_, who) => `<span class="mention">@${who}</span>`],
  [/\[([^\]]+)\]\((https?:\/\/[^\s)]+)\)/y, (_, text, url, names) => `<a href="${escapeText(url)}">${inline(text, names)}</a>`],
  [/<?(https?:\/\/[^\s<>)]+)>?/y, (_, url) => `<a href="${escapeText(url)}">${escapeText(url)}</a>`],
  [/\*\*([\s\S]+?)\*\*(?!\*)/y, (_, text, names) => `<strong>${inline(text, names)}</strong>`],
  [/__([\s\S]+?)__(?!_)/y, (_, text, names) => `<u>${inline(text, names)}</u>`],
  [/~~([\s\S]+?)~~/y, (_, text, names) => `<s>${inline(text, names)}</s>`],
  [/\|\|([\s\S]+?)\|\|/y, (_, text, names) => `<span class="spoiler" tabindex="0">${inline(text, names)}</span>`],
  [/\*(?=\S)([^*]*?\S)\*(?!\*)/y, (_, text, names) => `<em>${inline(text, names)}</em>`],
  [/_(?=\S)([^_]*?\S)_(?![\w_])/y, (_, text, names) => `<em>${inline(text, names)}</em>`],
];

function inline(text, names) {
  let html = "";
  for (let at = 0; at < text.length; ) {
    let found = null;
    for (const [pattern, make] of INLINE) {
      pattern.lastIndex = at;
      const match = pattern.exec(text);
      // an underscore within a word is a letter of it
      if (match && !(match[0][0] === "_" && /\w/.test(text[at - 1] || ""))) {
        html += make(...match, names);
        found = match[0].length;
        break;
      }
    }
    if (found === null) {
      html += escapeText(text[at]);
      found = 1;
    }
    at += found;
  }
  return html;
}

// Returns the HTML of a text; names gives users, roles and channels by id.
function markdown(text, names) {
  const parts = text.split(/```(?:\w*\n)?([\s\S]*?)```/);
  return parts.map((part, number) => {
    if (number % 2) return `<pre><code>${escapeText(part.replace(/\n$/, ""))}</code></pre>`;
    const html = part.replace(/^\n|\n$/g, number ? "" : "$&").split("\n").map((line) => {
      const heading = /^(#{1,3}) (.+)/.exec(line);
      if (heading) return `<h${heading[1].length + 2}>${inline(heading[2], names)}</h${heading[1].length + 2}>`;
      const small = /^-# (.+)/.exec(line);
      if (small) return `<span class="foot">${inline(small[1], names)}</span>\n`;
      const quote = /^> ?(.*)/.exec(line);
      if (quote) return `<blockquote>${inline(quote[1], names)}</blockquote>`;
      const item = /^( *)[-*] (.+)/.exec(line);
      if (item) return `${item[1]}• ${inline(item[2], names)}\n`;
      return `${inline(line, names)}\n`;
    });
    return html.join("").replace(/\n$/, "");
  }).join("");
}
