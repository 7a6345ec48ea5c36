// A form is sent once: a second click does nothing. The server refuses a
// second sending too; this saves the person from seeing that.

export function sendOnce() {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || event.defaultPrevented) return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    // Later, because a disabled button would not be sent along.
    setTimeout(() => setButtons(form, true), 0);
  });
  // Coming back to a page that the browser kept: it may be sent again.
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    for (const form of document.querySelectorAll("form[data-sent]")) {
      delete form.dataset.sent;
      setButtons(form, false);
    }
  });
}

function setButtons(form, disabled) {
  for (const button of form.querySelectorAll("button[type=submit]")) button.disabled = disabled;
}

// A field that belongs to one of several choices makes that choice when
// something is typed into it. Choosing the policy empties the date.
export function pickByTyping() {
  document.addEventListener("input", (event) => {
    const picks = event.target.dataset?.picks;
    if (!picks) return;
    const radio = event.target.closest("fieldset").querySelector(`input[type=radio][value="${picks}"]`);
    if (radio) radio.checked = true;
  });
  document.addEventListener("change", (event) => {
    if (event.target.type !== "radio" || event.target.value !== "policy") return;
    const date = event.target.closest("fieldset")?.querySelector("input[type=date][data-picks]");
    if (date) date.value = "";
  });
}

// The first field that is wrong takes the keyboard, so that it is seen even
// at the end of a long form.
export function showMistake() {
  const part = (document.querySelector("dialog:modal") ?? document).querySelector(".wrong");
  if (!part || part.contains(document.activeElement) || part.querySelector("[autofocus]")) return;
  part.querySelector("input:not([type=hidden]), textarea, select")?.focus();
}
