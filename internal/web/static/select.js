// Selecting rows of a list: one box for all of them, and how many are selected.
// The buttons show up once something is (app.css); without JavaScript the
// server says when nothing was selected.

export function chooseRows() {
  for (const form of document.querySelectorAll("form[data-selection]")) follow(form);
  document.addEventListener("htmx:after:swap", () => {
    for (const form of document.querySelectorAll("form[data-selection]:not([data-following])")) follow(form);
  });
  keepSelection();
}

function follow(form) {
  form.dataset.following = "yes";
  const all = form.querySelector("[data-select-all]");
  if (!all) return; // nothing can be selected
  const count = form.querySelector("[data-selection-count]");
  const boxes = () => [...form.querySelectorAll("input[name=item]")];
  const show = () => {
    const list = boxes();
    const n = list.filter((box) => box.checked).length;
    count.textContent = n === 0 ? count.dataset.all : `${n} selected`;
    all.checked = n > 0 && n === list.length;
    all.indeterminate = n > 0 && n < list.length;
  };
  all.hidden = false;
  all.addEventListener("change", () => {
    for (const box of boxes()) box.checked = all.checked;
    show();
  });
  form.addEventListener("change", show);
  addEventListener("pageshow", show); // the browser keeps what was selected
  show();
}

// Whoever cancels a dialog about what was selected finds it selected still.
function keepSelection() {
  const dialog = document.querySelector("dialog:modal");
  if (dialog) {
    addEventListener("pagehide", () => {
      const items = [...dialog.querySelectorAll("input[type=hidden][name=item]")].map((field) => field.value);
      sessionStorage.setItem("selection", JSON.stringify(items));
    });
    return;
  }
  const items = JSON.parse(sessionStorage.getItem("selection") ?? "[]");
  sessionStorage.removeItem("selection");
  for (const box of document.querySelectorAll("form[data-selection] input[name=item]")) {
    if (!items.includes(box.value)) continue;
    box.checked = true;
    box.dispatchEvent(new Event("change", { bubbles: true }));
  }
}
