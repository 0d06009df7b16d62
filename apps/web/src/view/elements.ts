/** Elements of index.html, by id and kind. */

type Kind<E extends HTMLElement> = new () => E;

/** @throws RangeError where the page and its script do not fit together */
export function element<E extends HTMLElement>(id: string, kind: Kind<E>): E {
  const found = document.getElementById(id);
  if (found instanceof kind) return found;
  throw new RangeError(`index.html has no ${kind.name} with the id ${id}`);
}

/** A new element with text and attributes; names of events and styles are not among them. */
export function make<K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Readonly<Record<string, string>> = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const created = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) created.setAttribute(key, value);
  created.append(...children);
  return created;
}

/** The only descendant of a kind that a selector finds. @throws RangeError as `element` */
export function within<E extends HTMLElement>(parent: Element, selector: string, kind: Kind<E>): E {
  const found = parent.querySelector(selector);
  if (found instanceof kind) return found;
  throw new RangeError(`index.html has no ${selector} where it should be`);
}
