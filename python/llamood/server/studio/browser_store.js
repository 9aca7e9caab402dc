/** What this browser keeps from visit to visit, or (`sessionStorage`) while the tab is open. */

/** What the browser keeps under a name, null where that is nothing, or nothing that can be read. */
export function recalled(name, where = "localStorage") {
  try {
    return JSON.parse(window[where].getItem(name));
  } catch {
    return null;
  }
}

/** Keep a value under a name, where the browser lets pages keep anything. */
export function stored(name, value, where = "localStorage") {
  try {
    window[where].setItem(name, JSON.stringify(value));
  } catch {
    // It is there until the page is closed.
  }
}
