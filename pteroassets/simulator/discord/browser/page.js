"use strict";
// What the page asks for, what the member does, and how commands are typed.

const at = (id) => document.getElementById(id);
const place = { guild: null, channel: null, member: null, version: -1, asked: null, command: null, seen: {}, drawn: {} };
let view = null;

function toast(text) {
  at("toast").textContent = text;
  at("toast").hidden = false;
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => { at("toast").hidden = true; }, 6000);
}

async function act(name, given) {
  const answer = await fetch(`/_test/${name}`, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ guild: place.guild, as: place.member, ...given }),
  });
  const body = await answer.json();
  if (!answer.ok) throw new Error((body.error || body.message || String(answer.status)).replace(/^\w+: /, ""));
  return body;
}

async function perform(name, given) {
  try {
    const came = await act(name, given);
    if (came.modal) askModal(came);
    else if ("answer" in came && came.answer === null) toast("The application did not respond");
    return came;
  } catch (fault) {
    toast(fault.message);
    return null;
  }
}

const acts = {
  async click(message, part, button) {
    button.classList.add("busy");
    await perform("click", { message: message.id, custom_id: part.custom_id, until: "answer", wait: 4 });
    button.classList.remove("busy");
  },
  select: (message, part, values) => perform("select", { message: message.id, custom_id: part.custom_id, values, until: "answer", wait: 4 }),
};

// ---------------------------------------------------------------- drawing

function fill(select, entries, chosen) {
  const wanted = JSON.stringify(entries);
  if (select.dataset.entries !== wanted) {
    select.replaceChildren(...entries.map(([value, text]) => new Option(text, value)));
    select.dataset.entries = wanted;
  }
  select.value = chosen;
}

function drawSide() {
  fill(at("guild"), view.guilds.map((one) => [one.id, one.name]), place.guild);
  fill(at("member"), view.members.map((one) => [one.id, one.roles.length ? `${one.name} (${one.roles.join(", ")})` : one.name]), place.member);
  at("channels").replaceChildren(...view.channels.map((one) => {
    if (!(one.id in place.seen) || one.id === place.channel) place.seen[one.id] = one.messages;
    const unread = one.messages - place.seen[one.id];
    return make("li", {}, make("button", { type: "button", ariaCurrent: String(one.id === place.channel), onclick: () => go({ channel: one.id }) },
      `# ${one.name}`, unread > 0 ? make("span", { className: "new", title: "new messages" }, String(unread)) : null));
  }));
  const channel = view.channels.find((one) => one.id === place.channel);
  at("channel").textContent = channel ? `# ${channel.name}` : "no channel";
  at("topic").textContent = channel ? channel.topic : "";
  at("bot").textContent = view.connected ? `${view.bot} is connected` : `${view.bot} is not connected`;
  at("bot").classList.toggle("on", view.connected);
  document.title = channel ? `#${channel.name} – Simulated Discord` : "Simulated Discord";
}

function drawMessages() {
  const list = at("messages");
  const wasAtEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 80;
  const old = new Map([...list.querySelectorAll("li[data-id]")].map((one) => [one.dataset.id, one]));
  let grew = false;
  const items = view.messages.map((message) => {
    const state = JSON.stringify([message, view.called]);
    const before = old.get(message.id);
    // an element that did not change stays, so that a picture does not flicker and a choice is not lost
    if (before && place.drawn[message.id] === state) return before;
    grew = grew || !before;
    place.drawn[message.id] = state;
    return drawMessage(message, view, acts);
  });
  if (!items.length) items.push(make("li", { className: "none" }, "Nothing was said here yet."));
  list.replaceChildren(...items);
  if (wasAtEnd || (grew && old.size === 0)) {
    list.scrollTop = list.scrollHeight;
    for (const one of list.querySelectorAll("img")) {
      if (!one.complete) one.addEventListener("load", () => { list.scrollTop = list.scrollHeight; }, { once: true });
    }
  }
}

function take(answer) {
  view = answer;
  view.pinged = (one) => {
    const [kind, id] = one.split(":");
    return `@${kind === "role" ? view.names.roles[id] : kind === "user" ? view.names.users[id] : kind}`;
  };
  Object.assign(place, { guild: view.guild, channel: view.channel, member: view.member, version: view.version });
  history.replaceState(null, "", `#${place.channel}/${place.member}`);
  drawSide();
  drawMessages();
}

async function follow() {
  for (;;) {
    place.asked = new AbortController();
    try {
      const query = new URLSearchParams({ version: place.version });
      for (const name of ["guild", "channel", "member"]) if (place[name]) query.set(name, place[name]);
      const answer = await fetch(`/view?${query}`, { signal: place.asked.signal });
      if (!answer.ok) throw new Error(String(answer.status));
      take(await answer.json());
    } catch (fault) {
      if (fault.name === "AbortError") continue;
      at("bot").textContent = "the simulated Discord does not answer";
      at("bot").classList.remove("on");
      place.version = -1;
      await new Promise((done) => setTimeout(done, 1000));
    }
  }
}

function go(where) {
  Object.assign(place, where, { version: -1 });
  if (where.guild) Object.assign(place, { channel: null, member: null });
  if (where.channel) at("messages").replaceChildren();
  choose(null);
  if (place.asked) place.asked.abort();
}

// ---------------------------------------------------------------- commands

function suggest() {
  const typed = at("entry").value;
  const found = typed.startsWith("/") && !place.command && view ? view.commands.filter((one) => `/${one.path}`.startsWith(typed.trimEnd())) : [];
  at("suggestions").hidden = !found.length;
  at("suggestions").replaceChildren(...found.map((one) => make("li", {}, make("button", { type: "button", onclick: () => choose(one) },
    make("b", {}, `/${one.path}`), make("small", {}, one.description)))));
}

function choose(command) {
  place.command = command;
  at("suggestions").hidden = true;
  at("options").replaceChildren(...(command ? command.options.map((one) => drawOption(one, command)) : []));
  at("entry").value = command ? `/${command.path}` : "";
  const first = at("options").querySelector("input, select");
  if (command) (first || at("entry")).focus();
}

function drawOption(option, command) {
  const names = { 6: view.members.map((one) => [one.id, one.name]), 7: view.channels.map((one) => [one.id, `# ${one.name}`]), 8: Object.entries(view.names.roles) };
  const listed = option.choices && option.choices.length ? option.choices.map((one) => [one.value, one.name]) : option.type === 5 ? [["true", "yes"], ["false", "no"]] : names[option.type];
  const field = listed ? make("select", {}, new Option("", ""), ...listed.map(([value, text]) => new Option(text, value)))
    : make("input", { type: option.type === 4 || option.type === 10 ? "number" : "text" });
  Object.assign(field, { name: option.name, required: Boolean(option.required) });
  const label = make("label", {}, `${option.name}${option.required ? "" : " (optional)"} – ${option.description}`, field);
  if (option.autocomplete) complete(field, label, option, command);
  return label;
}

function complete(field, label, option, command) {
  const list = make("ul", { className: "choices", hidden: true });
  label.append(list);
  const ask = async () => {
    clearTimeout(field.timer);
    field.timer = setTimeout(async () => {
      const came = await perform("autocomplete", { channel: place.channel, command: command.path, focused: option.name, options: { ...values(), [option.name]: field.value }, wait: 3 });
      if (!came || !came.choices) return;
      list.hidden = !came.choices.length;
      list.replaceChildren(...came.choices.map((one) => make("li", {}, make("button", {
        type: "button", textContent: one.name, onclick: (event) => {
          event.preventDefault();
          Object.assign(field, { value: one.name });
          field.dataset.value = one.value;
          list.hidden = true;
        },
      }))));
    }, 150);
  };
  field.oninput = () => { delete field.dataset.value; ask(); };
  field.onfocus = ask;
  field.onblur = () => setTimeout(() => { list.hidden = true; }, 200);
}

function values() {
  const given = {};
  for (const one of at("options").querySelectorAll("input, select")) {
    const value = one.dataset.value === undefined ? one.value : one.dataset.value;
    if (value !== "") given[one.name] = value;
  }
  return given;
}

at("bar").onsubmit = async (event) => {
  event.preventDefault();
  const typed = at("entry").value.trim();
  const command = place.command || (view.commands.find((one) => `/${one.path}` === typed) ?? null);
  if (command && !place.command && command.options.some((one) => one.required)) return choose(command);
  if (command) {
    const options = values();
    choose(null);
    await perform("slash", { channel: place.channel, command: command.path, options, until: "answer", wait: 4 });
  } else if (typed.startsWith("/")) toast(`There is no command ${typed}`);
  else if (typed && await perform("say", { channel: place.channel, content: typed })) at("entry").value = "";
};

function askModal(came) {
  const dialog = at("modal");
  dialog.querySelector("h2").textContent = came.modal.title;
  dialog.querySelector(".fields").replaceChildren(...came.modal.components.map((part) => {
    const inner = part.component || part.components[0];
    const input = make("input", { name: inner.custom_id, value: inner.value || "", required: inner.required !== false, placeholder: inner.placeholder || "" });
    if (inner.max_length) input.maxLength = inner.max_length;
    return make("label", {}, part.label || inner.label || "", input);
  }));
  dialog.querySelector("[value=cancel]").onclick = () => dialog.close("cancel");
  dialog.onclose = () => {
    if (dialog.returnValue !== "send") return;
    const given = Object.fromEntries([...dialog.querySelectorAll("input")].map((one) => [one.name, one.value]));
    perform("modal", { interaction: came.id, values: given, until: "answer", wait: 4 });
  };
  dialog.returnValue = "";
  dialog.showModal();
}

at("entry").oninput = () => { if (place.command && at("entry").value !== `/${place.command.path}`) choose(null); suggest(); };
at("entry").onkeydown = (event) => {
  const first = at("suggestions").querySelector("button");
  if (event.key === "Tab" && first && !at("suggestions").hidden) { event.preventDefault(); first.click(); }
  if (event.key === "Escape") choose(null);
};
at("guild").onchange = () => go({ guild: at("guild").value });
at("member").onchange = () => go({ member: at("member").value });
[place.channel, place.member] = location.hash.slice(1).split("/").map((one) => one || null);
follow();
