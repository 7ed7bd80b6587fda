"use strict";
(() => {
  const points = JSON.parse(document.getElementById("points").textContent);
  const shown = document.getElementById("pareto-details");
  const buttons = [...document.querySelectorAll("[data-point]")];
  const choose = (button) => {
    for (const each of buttons) each.setAttribute("aria-pressed", String(each === button));
    const table = document.createElement("table");
    table.createCaption().textContent = points[button.dataset.point].name;
    const body = table.createTBody();
    for (const [name, value] of Object.entries(points[button.dataset.point])) {
      if (value === null || ["name", "score", "front", "pareto"].includes(name)) continue;
      const row = body.insertRow(), head = document.createElement("th");
      head.scope = "row";
      head.textContent = name.replaceAll("_", " ");
      row.append(head);
      row.insertCell().textContent =
        typeof value === "number" ? value.toLocaleString("en", { maximumFractionDigits: 4 }) : value;
    }
    const frame = document.createElement("div");
    frame.className = "scroll";
    frame.tabIndex = 0;
    frame.setAttribute("role", "region");
    frame.setAttribute("aria-label", "The chosen point");
    frame.append(table);
    shown.replaceChildren(frame);
  };
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
  buttons.forEach((button, i) => {
    button.addEventListener("click", () => choose(button));
    button.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        choose(button);
      }
      let to = i + (step[event.key] ?? 0);
      if (event.key === "Home") to = 0;
      if (event.key === "End") to = buttons.length - 1;
      if (to === i || !buttons[to]) return;
      event.preventDefault();
      button.tabIndex = -1;
      buttons[to].tabIndex = 0;
      buttons[to].focus();
    });
  });
  // Drawings that are wider than the page begin at the root.
  for (const figure of document.querySelectorAll("figure.scroll")) {
    const root = figure.querySelector("[data-node] rect");
    if (root) figure.scrollLeft = root.getBBox().x + root.getBBox().width / 2 - figure.clientWidth / 2;
  }
  const tree = document.getElementById("first-tree");
  for (const row of document.querySelectorAll("details.row")) {
    row.addEventListener("toggle", () => {
      const nodes = row.dataset.nodes.split(" ").filter(Boolean);
      if (row.open) for (const other of document.querySelectorAll("details.row[open]")) if (other !== row) other.open = false;
      if (!tree) return;
      for (const box of tree.querySelectorAll("[data-node]")) {
        if (row.open) box.classList.toggle("on-path", nodes.includes(box.dataset.node));
        else if (!document.querySelector("details.row[open]")) box.classList.remove("on-path");
      }
    });
  }
})();
