// The cells of a dashboard stand where their dashboard says. Without
// JavaScript, and on narrow screens, they stand below one another.

export function placeCells() {
  for (const grid of document.querySelectorAll("[data-grid]")) {
    for (const cell of grid.children) {
      const at = cell.dataset;
      cell.style.gridColumn = `${Number(at.col) + 1} / span ${at.width}`;
      cell.style.gridRow = `${Number(at.row) + 1} / span ${at.height}`;
    }
    grid.classList.add("placed");
  }
}
