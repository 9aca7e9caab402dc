/** What this browser keeps from visit to visit, or (`sessionStorage`) while the tab is open. */

/** What the browser keeps under a name, null where that is nothing, or nothing that can be read. */
export function recalled(name, where = "localStorage") {
  try {
    return JSON.parse(window[where].getItem(name));
  } catch {
    return null;
  }
}

/** Keep a value under a name. False where the browser lets pages keep nothing, or nothing more. */
export function stored(name, value, where = "localStorage") {
  try {
    window[where].setItem(name, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}

/** Keep nothing under a name any more. */
export function dropped(name) {
  try {
    localStorage.removeItem(name);
  } catch {
    // Nothing is kept.
  }
}

/** The names under which something is kept. */
export function namesKept() {
  try {
    return Object.keys(localStorage);
  } catch {
    return [];
  }
}
