// Colours, sorting, charts. Nothing here writes HTML from data, and nothing asks for anything.
"use strict";
(() => {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const kept = () => { try { return localStorage.getItem("theme") || "auto"; } catch { return "auto"; } };
  const keep = (value) => { try { localStorage.setItem("theme", value); } catch { /* a page opened from a file */ } };

  const config = () => {
    const of = (name) => getComputedStyle(root).getPropertyValue(`--${name}`).trim();
    const colours = [1, 2, 3, 4, 5, 6, 7, 8].map((number) => of(`c${number}`));
    return {
      background: "transparent", font: "system-ui, DejaVu Sans, sans-serif",
      mark: { color: colours[0] }, line: { color: colours[0] }, bar: { color: colours[0] }, circle: { color: colours[0] },
      point: { color: colours[0] }, rule: { color: of("soft") },
      range: { category: colours, heatmap: [of("heat0"), of("heat1")], ramp: [of("heat0"), of("heat1")] },
      axis: { labelColor: of("soft"), titleColor: of("soft"), gridColor: of("rule"), domainColor: of("rule"),
        tickColor: of("rule"), titleFontWeight: "normal", labelFontSize: 12, titleFontSize: 12 },
      legend: { labelColor: of("text"), titleColor: of("soft"), titleFontWeight: "normal", labelFontSize: 12,
        titleFontSize: 12, titleLimit: 300 },
      view: { stroke: "transparent" },
    };
  };

  const draw = () => {
    if (!window.vegaEmbed) return;
    for (const place of document.querySelectorAll(".vega")) {
      const spec = JSON.parse(place.parentElement.querySelector("script[type='application/json']").textContent);
      window.vegaEmbed(place, spec, { ast: true, actions: false, renderer: "svg", config: config() })
        .then(() => { place.dataset.drawn = "true"; })
        .catch((error) => { place.textContent = `This chart cannot be drawn: ${error.message}`; });
    }
  };

  const apply = () => {
    const chosen = kept();
    root.dataset.theme = chosen === "auto" ? (dark.matches ? "dark" : "light") : chosen;
    const button = document.getElementById("theme");
    if (button) button.textContent = chosen;
  };

  // a page that nobody makes any more goes on saying that its data are fresh
  const age = () => {
    const made = document.getElementById("made");
    const limit = Number(made.dataset.staleAfterHours);
    if (!limit) return;
    const at = Date.parse(made.querySelector("time").textContent.replace(" UTC", "Z").replace(" ", "T"));
    const hours = (Date.now() - at) / 3600000;
    const badge = document.querySelector(".badge");
    if (hours <= limit || !badge) return;
    badge.className = "badge stale";
    badge.textContent = `stale: made ${hours < 48 ? `${Math.floor(hours)} hours` : `${Math.floor(hours / 24)} days`} ago`;
  };

  const sort = (button) => {
    const head = button.closest("th");
    const body = head.closest("table").tBodies[0];
    const column = head.cellIndex;
    const down = head.classList.contains("number")
      ? head.getAttribute("aria-sort") !== "descending" : head.getAttribute("aria-sort") === "ascending";
    const key = (row) => row.cells[column].dataset.key;
    const numbers = head.classList.contains("number");
    const rows = [...body.rows].sort((one, other) => {
      const [a, b] = [key(one), key(other)];
      if (a === undefined || b === undefined) return (a === undefined) - (b === undefined);
      const order = numbers ? Number(a) - Number(b) : a.localeCompare(b);
      return down ? -order : order;
    });
    for (const other of head.parentElement.cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    body.append(...rows);
  };

  apply();
  dark.addEventListener("change", () => { apply(); draw(); });
  document.addEventListener("DOMContentLoaded", () => {
    apply();
    age();
    document.getElementById("theme").addEventListener("click", () => {
      const order = ["auto", "light", "dark"];
      keep(order[(order.indexOf(kept()) + 1) % order.length]);
      apply();
      draw();
    });
    for (const button of document.querySelectorAll("button.sort")) button.addEventListener("click", () => sort(button));
  });
  // scripts that are deferred run in order, so the one that draws is there by now
  window.addEventListener("load", draw);
})();
