// A pasted key stays in this page: its digest alone is sent. The field has no
// name, so that no form can send it, and it is empty before anything is sent.
import { sha256 } from "./sha256.js";

export function digestPasted() {
  for (const form of document.querySelectorAll("form[data-digest]")) {
    const field = form.querySelector("[data-paste]");
    for (const part of [field, ...form.querySelectorAll("button")]) part.disabled = false;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      send(form, field);
    });
    // What the browser keeps of this page to come back to holds no key.
    addEventListener("pagehide", () => { field.value = ""; });
  }
}

async function send(form, field) {
  const text = field.value.trim();
  field.value = "";
  if (!text) {
    field.focus();
    return;
  }
  form.elements.namedItem("digest").value = await sha256(text);
  form.submit();
}
