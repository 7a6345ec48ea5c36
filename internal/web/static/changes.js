// Changes in the matrix of permissions are kept while one looks at another part
// of it, and saved together. Whoever leaves the page with some is asked first.

export function keepChanges() {
  if (!document.querySelector("form[data-changes]")) return;
  const changes = new Map(); // the new level of each cell
  let saving = false;

  const show = (form) => {
    const n = changes.size;
    form.querySelector("[data-changes-count]").textContent = n === 0 ? "" : n === 1 ? "1 unsaved change" : `${n} unsaved changes`;
  };
  const note = (form, select) => {
    const cell = select.name.slice("level-".length);
    if (select.value === form.elements.namedItem(`was-${cell}`).value) changes.delete(cell);
    else changes.set(cell, { level: select.value, was: form.elements.namedItem(`was-${cell}`).value });
    select.classList.toggle("changed", changes.has(cell));
  };
  const restore = () => {
    const form = document.querySelector("form[data-changes]");
    for (const [cell, { level, was }] of changes) {
      const select = form.querySelector(`select[name="level-${cell}"]`);
      if (select) {
        select.value = level;
        note(form, select);
      } else {
        form.prepend(hidden(`level-${cell}`, level), hidden(`was-${cell}`, was));
      }
    }
    show(form);
  };

  // What the server or the browser has kept of an earlier attempt.
  const form = document.querySelector("form[data-changes]");
  for (const field of form.querySelectorAll("[name^=level-]")) note(form, field);
  show(form);

  document.addEventListener("change", (event) => {
    const changed = event.target.closest?.("form[data-changes]");
    if (!changed || !event.target.name?.startsWith("level-")) return;
    note(changed, event.target);
    show(changed);
  });
  document.addEventListener("htmx:after:swap", restore);
  document.addEventListener("submit", (event) => { saving ||= event.target.matches("form[data-changes]"); });
  addEventListener("pageshow", () => (saving = false));
  addEventListener("beforeunload", (event) => { if (changes.size > 0 && !saving) event.preventDefault(); });
}

function hidden(name, value) {
  return Object.assign(document.createElement("input"), { type: "hidden", name, value });
}
