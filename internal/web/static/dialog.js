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

// Whoever leaves a dialog with the keyboard comes back to the link or button
// that opened it, and not to the top of the page.
export function returnFocus() {
  const from = sessionStorage.getItem("dialog");
  sessionStorage.removeItem("dialog");
  if (document.querySelector("dialog:modal")) {
    let keyboard = false;
    document.addEventListener("keydown", () => (keyboard = true), true);
    document.addEventListener("pointerdown", () => (keyboard = false), true);
    window.addEventListener("pagehide", () => {
      if (keyboard) sessionStorage.setItem("dialog", location.href);
    });
    return;
  }
  if (from === null || document.querySelector("[autofocus]")) return;
  const opens = (part) => (part.href ?? part.formAction) === (part.href ? from : from.split("?")[0]);
  const focus = () => [...document.querySelectorAll("a[href], button[formaction]")].find(opens)?.focus();
  // Going to the fragment of the address takes the focus away, at the latest when all is loaded.
  window.addEventListener("load", () => setTimeout(focus));
}

function leave(dialog) {
  const to = dialog.dataset.leave;
  if (to) location.assign(to);
  return Boolean(to);
}
