"use strict";
const root = document.documentElement;
root.classList.add("scripted");

// light and dark: the system's choice until the button is pressed, then the reader's
const remembered = (value) => {
  try {
    if (value) localStorage.setItem("pomona-theme", value);
    return localStorage.getItem("pomona-theme");
  } catch {
    return null; // a browser may refuse storage to local files
  }
};
const setTheme = (theme) => { if (theme === "light" || theme === "dark") root.dataset.theme = theme; };
setTheme(remembered());
document.querySelector(".theme").addEventListener("click", () => {
  const isDark = (root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  setTheme(isDark ? "light" : "dark");
  remembered(root.dataset.theme);
});

// tables: a click on a heading sorts, numbers from the largest first, a second click turns the order round
const sortRows = (heading) => {
  const table = heading.closest("table");
  const column = heading.cellIndex;
  const isNumber = heading.classList.contains("number");
  const current = heading.getAttribute("aria-sort");
  const next = current === "none" ? (isNumber ? "descending" : "ascending") : current === "ascending" ? "descending" : "ascending";
  const sign = next === "ascending" ? 1 : -1;
  const rows = [...table.tBodies[0].rows].map((row) => ({ row, value: row.cells[column].dataset.value }));
  rows.sort((a, b) => {
    if (a.value === "" || b.value === "") return (a.value === "") - (b.value === ""); // missing stays last
    const order = isNumber ? Number(a.value) - Number(b.value) : a.value.localeCompare(b.value, undefined, { numeric: true });
    return sign * order;
  });
  table.tBodies[0].append(...rows.map((entry) => entry.row));
  for (const other of table.tHead.rows[0].cells) other.setAttribute("aria-sort", "none");
  heading.setAttribute("aria-sort", next);
};
for (const heading of document.querySelectorAll(".table th")) {
  heading.querySelector("button").addEventListener("click", () => sortRows(heading));
}

// trees: open all, close all, or only the line to the best node
for (const button of document.querySelectorAll("[data-tree]")) {
  button.addEventListener("click", () => {
    for (const node of button.closest(".tree").querySelectorAll("details")) {
      node.open = button.dataset.tree === "all" || (button.dataset.tree === "best" && node.classList.contains("on-line"));
    }
  });
}

// paper cannot be opened
addEventListener("beforeprint", () => {
  for (const node of document.querySelectorAll("details")) node.open = true;
});
