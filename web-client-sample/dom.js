// The few touches of the page: each writes only what differs from what stands there.

export function byId(id) {
  return document.getElementById(id);
}

/** The first element of a template, cloned. */
export function cloneTemplate(id) {
  return byId(id).content.firstElementChild.cloneNode(true);
}

/** `{name: element}` of all descendants that carry `data-el="name"`. */
export function parts(root) {
  const found = {};
  for (const element of root.querySelectorAll("[data-el]")) found[element.dataset.el] = element;
  return found;
}

let ids = 0;

/** An id no other element of the page has. */
export function freshId(prefix) {
  ids += 1;
  return `${prefix}-${ids}`;
}

export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function setHidden(element, hidden) {
  if (element.hidden !== hidden) element.hidden = hidden;
}

/** Sets an attribute, or removes it for null. */
export function setAttribute(element, name, value) {
  if (value === null) {
    if (element.hasAttribute(name)) element.removeAttribute(name);
  } else if (element.getAttribute(name) !== value) {
    element.setAttribute(name, value);
  }
}

const reducedMotion = globalThis.matchMedia?.("(prefers-reduced-motion: reduce)");

/** The glow of each element now, so that it need not be asked for: that would lay the page out anew. */
const glowing = new WeakMap();

/** A short glow in the colour of `direction` (1 up, -1 down); without `behind`, of the text alone. */
export function flash(element, direction, { behind = true } = {}) {
  if (direction === 0 || reducedMotion?.matches || document.hidden) return;
  const tone = direction > 0 ? "up" : "down";
  glowing.get(element)?.cancel();
  setAttribute(element, "data-flashed", tone);
  glowing.set(element, element.animate(
    [
      { color: `var(--${tone})`, backgroundColor: behind ? `var(--flash-${tone})` : "transparent" },
      { backgroundColor: "transparent" },
    ],
    { duration: 900, easing: "ease-out" }));
}

/** Puts `children` in this order with as few moves as the eye could ask for. */
export function arrange(parent, children) {
  let place = parent.firstElementChild;
  for (const child of children) {
    if (child === place) place = place.nextElementSibling;
    else parent.insertBefore(child, place);
  }
  while (place !== null) {
    const next = place.nextElementSibling;
    place.remove();
    place = next;
  }
}

/** A function that has `draw` run in the next animation frame, once however often it is called until then. */
export function oncePerFrame(draw) {
  let isPlanned = false;
  return () => {
    if (isPlanned) return;
    isPlanned = true;
    requestAnimationFrame(() => {
      isPlanned = false;
      draw();
    });
  };
}
