// Choosing rows of a list: one box for all of them, how many are chosen, and
// buttons that wait until something is. Without JavaScript the buttons are
// always there, and the server says when nothing was chosen.

export function chooseRows() {
  for (const form of document.querySelectorAll("form[data-selection]")) follow(form);
  document.addEventListener("htmx:after:swap", () => {
    for (const form of document.querySelectorAll("form[data-selection]:not([data-following])")) follow(form);
  });
}

function follow(form) {
  const bar = form.querySelector("[data-selection-bar]");
  if (!bar) return;
  form.dataset.following = "yes";
  const all = form.querySelector("[data-select-all]");
  const boxes = () => [...form.querySelectorAll("input[name=item]")];
  const show = () => {
    const list = boxes();
    const n = list.filter((box) => box.checked).length;
    bar.querySelector("[data-selection-count]").textContent = n === 0 ? "Nothing chosen" : n === 1 ? "1 chosen" : `${n} chosen`;
    for (const button of bar.querySelectorAll("button")) button.disabled = n === 0;
    all.checked = n > 0 && n === list.length;
    all.indeterminate = n > 0 && n < list.length;
  };
  all.hidden = false;
  all.addEventListener("change", () => {
    for (const box of boxes()) box.checked = all.checked;
    show();
  });
  form.addEventListener("change", show);
  addEventListener("pageshow", show); // the browser keeps what was chosen
  show();
}
