// Copy buttons, and the care for what is shown only once.

export function offerCopies() {
  for (const button of document.querySelectorAll("[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", () => copy(button));
  }
}

async function copy(button) {
  const source = document.getElementById(button.dataset.copy);
  const text = source.value ?? source.textContent;
  try {
    await navigator.clipboard.writeText(text);
    say(button, "Copied");
  } catch {
    select(source);
    say(button, "The browser does not let this page copy. The text is selected: press Ctrl+C (⌘C on a Mac).");
  }
}

function select(source) {
  if (source.select) {
    source.focus();
    source.select();
    return;
  }
  getSelection().selectAllChildren(source);
}

function say(button, text) {
  const note = document.querySelector(`[data-copy-note="${button.dataset.copy}"]`);
  if (note) note.textContent = text;
  // A modal dialog hides the rest of the page from screen readers, so the
  // announcement goes inside of it.
  const announcer = button.closest("dialog")?.querySelector("[role=status]") ?? document.getElementById("announcer");
  announcer.textContent = text;
}

// guardSecrets keeps a key that is shown once from coming back: this entry of
// the browser's history becomes the list behind the dialog, so that going back
// or loading again shows that, and the text leaves the page with the person.
export function guardSecrets() {
  const fields = document.querySelectorAll("[data-secret]");
  if (fields.length === 0) return;
  const after = document.querySelector("[data-after]")?.dataset.after;
  if (after) history.replaceState(null, "", after);
  for (const field of fields) {
    field.focus();
    field.select();
  }
  addEventListener("pagehide", () => {
    for (const field of fields) field.value = "";
  });
  addEventListener("pageshow", (event) => {
    if (event.persisted && after) location.replace(after);
  });
}
