// Small helpers for elements.

/** Makes an element: h("p", {class: "hint"}, "text", child, …). */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** Makes a list of tabs work as readers expect: arrows move, one stop for Tab. */
export function tabs(list, select) {
  const all = () => [...list.querySelectorAll("[role=tab]")];
  const choose = (tab) => {
    for (const other of all()) {
      other.setAttribute("aria-selected", String(other === tab));
      other.tabIndex = other === tab ? 0 : -1;
    }
    select(tab);
  };
  list.addEventListener("click", (event) => {
    const tab = event.target.closest("[role=tab]");
    if (tab) choose(tab);
  });
  list.addEventListener("keydown", (event) => {
    const tabs = all();
    const at = tabs.indexOf(document.activeElement);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    const tab = tabs[(to + tabs.length) % tabs.length];
    tab.focus();
    choose(tab);
  });
}

/** Puts an item on top of a list and drops the oldest beyond most. */
export function prepend(list, item, most = 200) {
  list.prepend(item);
  while (list.children.length > most) list.lastElementChild.remove();
}
