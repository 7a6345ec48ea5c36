// A page that is a dialog comes with <dialog open> over an inert page. Here it
// becomes a modal one: the browser keeps the focus inside and Escape leaves.

export function openDialogs() {
  for (const dialog of document.querySelectorAll("dialog[open]")) {
    dialog.removeAttribute("open"); // close() would announce a closing
    dialog.showModal();
    // Without data-leave the dialog holds something that is shown only once:
    // Escape must not lose it.
    dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      leave(dialog);
    });
    dialog.addEventListener("close", () => {
      if (!leave(dialog)) dialog.showModal();
    });
  }
}

function leave(dialog) {
  const to = dialog.dataset.leave;
  if (to) location.assign(to);
  return Boolean(to);
}
