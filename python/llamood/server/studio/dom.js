/** Small helpers over the document. */

/** An element. Attributes that are functions are listeners, `class`, `text` and `style` (custom
 * properties) are what they say, `false` and null leave an attribute out. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (name === "text") element.textContent = value;
    else if (name === "style") setProperties(element, value);
    else if (value !== false && value != null) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

/** The same for a part of a picture. */
export function draw(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (name === "style") setProperties(element, value);
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

function setProperties(element, properties) {
  for (const [name, value] of Object.entries(properties)) element.style.setProperty(name, value);
}

/** A field that has one of these options, and its label. `choose`: called with what is chosen. */
export function chooser(text, options, choose = () => {}) {
  const all = options.map((option) => make("option", { value: option, text: option }));
  const field = make("select", { change: () => choose(field.value) }, ...all);
  return { field, label: make("label", { class: "field" }, text, field) };
}

export const byId = (id) => document.getElementById(id);

/** A function that lets `work` run once before the next picture, however often it is called. */
export function oncePerFrame(work) {
  let isAsked = false;
  return () => {
    if (isAsked) return;
    isAsked = true;
    requestAnimationFrame(() => {
      isAsked = false;
      work();
    });
  };
}

/** A function that lets `work` run once it has not been called for `wait` milliseconds. */
export function onceQuiet(work, wait) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(work, wait);
  };
}

export const clamp = (value, least, most) => Math.min(Math.max(value, least), most);

/** At most two decimals, and a minus that is one. */
export const shown = (value) => String(rounded(value)).replace("-", "−");

/** A large number with two or three figures, and its unit: 135M, 4.2M. */
export function inUnits(number) {
  const units = ["", "k", "M", "G", "T"];
  const power = clamp(Math.floor(Math.log10(Math.max(number, 1)) / 3), 0, units.length - 1);
  const value = number / 1000 ** power;
  return `${rounded(value, value < 10 ? 1 : 0)}${units[power]}`;
}

export const rounded = (value, decimals = 2) => {
  const scale = 10 ** decimals;
  return Math.round(value * scale) / scale || 0; // no -0
};
