/** Starts the page, once the service is there. */

import { introduced } from "./about.js";
import { untilReady } from "./connection.js";
import { byId } from "./dom.js";
import { preference } from "./preference.js";
import { Service } from "./service.js";
import { Studio } from "./studio.js";

async function start() {
  preference("theme");
  preference("colours");
  const service = new Service();
  await untilReady(service);
  new Studio({ service, ...(await introduced(service)) });
  document.body.classList.remove("starting");
}

start().catch((error) => {
  byId("failed").hidden = false;
  byId("failed").textContent = `The page could not start: ${error.message}`;
});
