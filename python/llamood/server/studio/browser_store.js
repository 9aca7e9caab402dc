/** What this browser keeps from visit to visit. */

/** What the browser keeps under a name, null where that is nothing, or nothing that can be read. */
export function recalled(name) {
  try {
    return JSON.parse(localStorage.getItem(name));
  } catch {
    return null;
  }
}

/** Keep a value under a name, where the browser lets pages keep anything. */
export function stored(name, value) {
  try {
    localStorage.setItem(name, JSON.stringify(value));
  } catch {
    // It is there until the page is closed.
  }
}
