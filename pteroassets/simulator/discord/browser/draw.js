"use strict";
// Messages as elements. What is pressed or chosen goes to the functions in `acts`.

function make(tag, properties = {}, ...children) {
  const { dataset, style, ...plain } = properties;
  const element = Object.assign(document.createElement(tag), plain);
  Object.assign(element.dataset, dataset || {});
  if (style) element.setAttribute("style", style);
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

const shownText = (text, names, name = "text") => make("div", { className: name, innerHTML: markdown(text, names) });
const colourOf = (number) => `#${number.toString(16).padStart(6, "0")}`;
const HUES = ["#5865c0", "#2f7d5b", "#9a5b1f", "#8a3f78", "#3b6f95", "#a3434c"];

function picture(url, text, size) {
  const known = size && size.width ? { width: size.width, height: size.height } : {};
  return make("a", { href: url, target: "_blank" }, make("img", { className: "picture", src: url, alt: text || "", ...known }));
}

function drawFields(fields, names) {
  const grid = make("div", { className: "fields" });
  for (let at = 0; at < fields.length; ) {
    let count = 1;
    while (fields[at].inline && count < 3 && fields[at + count] && fields[at + count].inline) count += 1;
    for (const field of fields.slice(at, at + count)) {
      // Discord keeps columns of three, or of two where only two stand side by side
      const span = !field.inline ? 12 : count === 2 ? 6 : 4;
      grid.append(make("div", { className: "field", style: `grid-column: span ${span}` },
        make("b", { innerHTML: inline(field.name, names) }), shownText(field.value, names)));
    }
    at += count;
  }
  return grid;
}

function drawEmbed(embed, names, attachments) {
  const box = make("article", { className: "embed" });
  if (embed.color) box.style.setProperty("--edge", colourOf(embed.color));
  const top = make("div");
  if (embed.thumbnail) top.append(make("img", { className: "thumb", src: embed.thumbnail.url, alt: "" }));
  if (embed.author) top.append(make("div", { className: "author" }, embed.author.url ? make("a", { href: embed.author.url }, embed.author.name) : embed.author.name));
  if (embed.title) {
    const title = make("div", { className: "title", innerHTML: inline(embed.title, names) });
    top.append(embed.url ? make("a", { href: embed.url }, title) : title);
  }
  if (embed.description) top.append(shownText(embed.description, names));
  if (top.childNodes.length) box.append(top);
  if (embed.fields && embed.fields.length) box.append(drawFields(embed.fields, names));
  if (embed.image) {
    const file = attachments.find((one) => one.url === embed.image.url);
    box.append(picture(embed.image.url, (file && file.description) || "picture", embed.image));
  }
  const foot = [embed.footer && embed.footer.text, embed.timestamp && stamp(embed.timestamp)].filter(Boolean).join(" • ");
  if (foot) box.append(make("div", { className: "foot" }, foot));
  return box;
}

const STYLES = { 1: "primary", 2: "secondary", 3: "success", 4: "danger", 5: "link" };

function drawButton(part, message, acts) {
  const text = [part.emoji && part.emoji.name, part.label].filter(Boolean).join(" ");
  if (part.style === 5) return make("a", { className: "button link", href: part.url, target: "_blank" }, `${text} ↗`);
  return make("button", {
    className: `button ${STYLES[part.style] || "secondary"}`, type: "button", disabled: Boolean(part.disabled), textContent: text,
    onclick: (event) => acts.click(message, part, event.currentTarget),
  });
}

function drawSelect(part, message, acts) {
  const many = (part.max_values || 1) > 1;
  const select = make("select", { multiple: many, disabled: Boolean(part.disabled), ariaLabel: part.placeholder || "Choose" });
  if (!many) select.append(new Option(part.placeholder || "Choose…", "", true, !part.options.some((one) => one.default)));
  for (const one of part.options || []) {
    const text = [one.emoji && one.emoji.name, one.label, one.description && `– ${one.description}`].filter(Boolean).join(" ");
    select.append(new Option(text, one.value, false, Boolean(one.default)));
  }
  select.onchange = () => acts.select(message, part, [...select.selectedOptions].map((one) => one.value).filter(Boolean));
  return select;
}

function drawPart(part, message, names, acts) {
  const inner = (parts) => (parts || []).map((one) => drawPart(one, message, names, acts));
  switch (part.type) {
    case 1: return make("div", { className: "row" }, ...inner(part.components));
    case 2: return drawButton(part, message, acts);
    case 3: return drawSelect(part, message, acts);
    case 9: return make("div", { className: "row" }, make("div", { style: "flex: 1" }, ...inner(part.components)), ...inner([part.accessory]));
    case 10: return shownText(part.content, names);
    case 11: return make("img", { className: "thumb", src: urlOf(part.media, message), alt: part.description || "", width: 80 });
    case 12: return make("div", { className: "row" }, ...part.items.map((one) => picture(urlOf(one.media, message), one.description)));
    case 13: return make("a", { className: "file", href: urlOf(part.file, message) }, "file");
    case 14: return make("hr");
    case 17: {
      const box = make("article", { className: "container" }, ...inner(part.components));
      if (part.accent_color) box.style.setProperty("--edge", colourOf(part.accent_color));
      return box;
    }
    default: return make("p", { className: "foot" }, `a component of type ${part.type}, which this page does not draw`);
  }
}

function urlOf(media, message) {
  const name = media.url.replace("attachment://", "");
  const file = message.attachments.find((one) => one.filename === name);
  return file ? file.url : media.url;
}

const stamp = (text) => new Date(text).toLocaleString("en", { dateStyle: "medium", timeStyle: "short" });

function drawMessage(message, view, acts) {
  const { names } = view;
  const name = message.author.global_name || message.author.username;
  const isPrivate = Boolean(message.flags & 64);
  const called = message.pings.some((one) => view.called.includes(one));
  const item = make("li", { className: `message${called ? " called" : ""}${isPrivate ? " private" : ""}`, dataset: { id: message.id } });
  if (message.interaction_metadata && message.interaction_metadata.name) {
    const user = message.interaction_metadata.user;
    item.append(make("div", { className: "used" }, make("b", {}, user.global_name || user.username), ` used /${message.interaction_metadata.name}`));
  }
  const hue = HUES[[...name].reduce((sum, sign) => sum + sign.codePointAt(0), 0) % HUES.length];
  item.append(make("div", { className: "avatar", style: `background: ${hue}`, ariaHidden: "true" }, name[0]));
  const body = make("div");
  body.append(make("div", { className: "head" }, make("b", {}, name), message.author.bot ? make("span", { className: "tag" }, message.webhook_id && !message.interaction_metadata ? "WEBHOOK" : "APP") : null,
    make("time", { dateTime: message.timestamp }, stamp(message.timestamp))));
  if (message.flags & 128) body.append(make("div", { className: "thinking" }, `${name} is thinking`));
  if (message.content) body.append(shownText(message.content, names));
  for (const embed of message.flags & 4 ? [] : message.embeds) body.append(drawEmbed(embed, names, message.attachments));
  const shown = new Set(message.embeds.flatMap((one) => [one.image && one.image.url, one.thumbnail && one.thumbnail.url]));
  if (!(message.flags & 32768)) {
    for (const file of message.attachments.filter((one) => !shown.has(one.url))) {
      body.append(file.content_type.startsWith("image/") ? picture(file.url, file.description, file)
        : make("a", { className: "file", href: file.url }, `${file.filename} (${file.size} bytes)`));
    }
  }
  for (const part of message.components) body.append(drawPart(part, message, names, acts));
  const marks = [message.edited_timestamp && `edited ${stamp(message.edited_timestamp)}`, isPrivate && "Only you can see this"];
  if (message.pings.length) marks.push(`notified ${message.pings.map((one) => view.pinged(one)).join(", ")}`);
  const foot = marks.filter(Boolean).join(" · ");
  if (foot) body.append(make("div", { className: "pings" }, foot));
  item.append(body);
  return item;
}
