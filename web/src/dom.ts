// Building the document. Text is only ever set as text: names come from archives and are not trusted.

type Child = Node | string | null | undefined | false;
type Props = Record<string, string | number | boolean | null | undefined | ((e: never) => void)>;

/** el makes an element. Props: "class", "on<event>" listeners, and attributes (false, null: left out; true: empty). */
export function el<K extends keyof HTMLElementTagNameMap>(tag: K, props: Props = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === 'function') node.addEventListener(name.slice(2), value as EventListener);
    else if (value === true) node.setAttribute(name, '');
    else if (value !== false && value != null) node.setAttribute(name, String(value));
  }
  append(node, ...children);
  return node;
}

export function append(node: Node, ...children: Child[]): void {
  for (const c of children) {
    if (c) node.appendChild(typeof c === 'string' ? document.createTextNode(c) : c);
  }
}

const svg = 'http://www.w3.org/2000/svg';

/** icon draws one of the page's icons; it says nothing to screen readers, its button does. */
export function icon(path: string, stroke = true): SVGSVGElement {
  const node = document.createElementNS(svg, 'svg');
  node.setAttribute('viewBox', '0 0 24 24');
  node.setAttribute('aria-hidden', 'true');
  node.setAttribute('class', stroke ? 'icon' : 'icon icon-solid');
  const shape = document.createElementNS(svg, 'path');
  shape.setAttribute('d', path);
  node.append(shape);
  return node;
}

export const reducedMotion = matchMedia('(prefers-reduced-motion: reduce)');
