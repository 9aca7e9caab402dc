/** The page as a whole: what it edits, who speaks, and which part hears of what. */

import { doubtsSaid, introduced, modelSaid } from "./about.js";
import { recalled, stored } from "./browser_store.js";
import { CastView } from "./cast_view.js";
import { ChatList } from "./chat_list.js";
import { Composer } from "./composer.js";
import { Connection } from "./connection.js";
import { byId, make, onceQuiet } from "./dom.js";
import { Follow } from "./follow.js";
import { GateEditor } from "./gate_editor.js";
import { isGate } from "./gate.js";
import { keyGiven } from "./key_dialog.js";
import {
  NEUTRAL,
  described,
  restored,
  scheduleOf,
  withInertia,
  withIntensity,
  written,
} from "./mood.js";
import { NewEmotion } from "./new_emotion.js";
import { Observable } from "./observable.js";
import { Pad } from "./pad.js";
import { Pane } from "./pane.js";
import { Presets } from "./presets.js";
import { Preview } from "./preview.js";
import { ScheduleEditor } from "./schedule_editor.js";
import { remembered } from "./sections.js";
import { Gone, Refused, faultSaid } from "./service.js";
import { Sliders } from "./sliders.js";
import { SnippetPanel } from "./snippets.js";
import { tabs } from "./tabs.js";
import { TokenNote } from "./token_note.js";

const STORE = "llamood.mood";
const LIVE = 250; // milliseconds that a mood is let alone before it is answered in again
const NARROW = matchMedia("(max-width: 60rem)");

export class Studio {
  #service;
  #about;
  #emotions; // of which there may be more later, in this same list
  #names;
  #mood;
  #main; // the mood of talk and of comparison
  #view = "talk";
  #panes;
  #made = []; // all panes that there have been
  #branches = []; // what the editors watch
  #cast;
  #composer;
  #chats;
  #connection;
  #editor;
  #gates;
  #snippets;
  #preview;
  #follow = new Follow(byId("spoken"));
  #note = new TokenNote();
  #speaking = new Set(); // `{pane}` of each answer that is not over, also of other views

  constructor({ service, about, emotions }) {
    this.#service = service;
    this.#about = about;
    this.#emotions = emotions;
    this.#names = emotions.map(({ id }) => id);
    this.#main = restored(recalled(STORE), this.#names);
    this.#mood = new Observable(this.#main);
    byId("model").textContent = about.model;
    byId("about").textContent = modelSaid(about);
    document.title = `llamood: ${about.model}`;
    this.#sayDoubts();
    this.#connection = new Connection({ service, back: () => this.#returned() });
    this.#makeControls();
    this.#makeViews();
    this.#composer = new Composer({
      about,
      ask: (text) => this.#ask(text),
      again: () => this.#again(this.#speakers),
      stop: () => this.#speaking.forEach(({ pane }) => pane.stop()),
      afresh: () => this.#begin(),
    });
    this.#chats = new ChatList({
      pane: this.#panes.talk,
      model: about.model,
      system: { get: () => this.#composer.system, set: (text) => (this.#composer.system = text) },
    });
    this.#snippets = new SnippetPanel({ gather: () => this.#gathered(), mood: this.#mood });
    const live = onceQuiet(() => this.#live(), LIVE);
    this.#mood.watch(() => live());
  }

  #sayDoubts() {
    const lines = doubtsSaid(this.#about, this.#emotions);
    byId("unread").replaceChildren(...lines.map((text) => make("li", { text })));
  }

  /** Of each emotion; those that there were go. */
  #makeEditors() {
    this.#branches.forEach((branch) => branch.end());
    this.#branches = [this.#mood.branch(), this.#preview.branch()];
    const [[mood, preview], emotions] = [this.#branches, this.#emotions];
    const edit = (id) => {
      const [part, editor] = isGate(scheduleOf(mood.value, id))
        ? ["gate", this.#gates]
        : ["schedule", this.#editor];
      byId(`${part}-part`).open = true;
      editor.edit(id);
      byId(part).scrollIntoView({ block: "nearest" });
    };
    new Sliders(byId("sliders"), { emotions, mood, edit });
    new Pad(byId("pad"), { emotions, mood });
    const play = () => this.#again(this.#speakers);
    this.#editor = new ScheduleEditor(byId("schedule"), { emotions, mood, preview, play });
    this.#gates = new GateEditor(byId("gate"), { emotions, mood, reads: this.#about.readings });
  }

  #makeControls() {
    const mood = this.#mood;
    const preview = new Preview({ service: this.#service, mood });
    this.#preview = preview;
    this.#makeEditors();
    const { personalities, extracts } = this.#about;
    byId("new-part").hidden = extracts === null;
    if (extracts !== null) {
      const added = () => this.#feelMore();
      new NewEmotion(byId("new-emotion"), { service: this.#service, limits: extracts, added });
    }
    new Presets({ emotions: this.#emotions, mood, personalities, tell: (system) => this.#tell(system) });
    byId("neutral").addEventListener("click", () => (mood.value = NEUTRAL));
    const inertia = byId("inertia");
    inertia.addEventListener("input", () => {
      mood.value = withInertia(mood.value, Math.max(inertia.valueAsNumber || 0, 0));
    });
    preview.fault.watch((fault) => (byId("mood-fault").textContent = fault));
    preview.rows.watch((rows) => {
      byId("notices").replaceChildren(...(rows?.notices ?? []).map((text) => make("li", { text })));
    });
    mood.watch((now) => {
      byId("felt").textContent = described(now);
      if ((inertia.valueAsNumber || 0) !== now.inertia) inertia.value = now.inertia;
    });
    remembered(document.querySelectorAll("#mood-part details, #schedule-part"));
    const folded = () => (byId("mood-part").open = !NARROW.matches);
    NARROW.addEventListener("change", folded);
    folded();
    byId("mood-done").addEventListener("click", () => {
      byId("mood-part").open = false;
      byId("mood-part").firstElementChild.focus();
    });
  }

  /** There is an emotion more: all that was said stays, and what is being said goes on. */
  async #feelMore() {
    const { emotions } = await introduced(this.#service);
    this.#emotions.splice(0, Infinity, ...emotions);
    this.#names.splice(0, Infinity, ...emotions.map(({ id }) => id));
    const shown = byId("schedule").querySelector("select").value;
    this.#makeEditors();
    this.#editor.edit(shown);
    this.#made.forEach((pane) => pane.renew());
    this.#preview.again();
    this.#sayDoubts();
  }

  #makeViews() {
    this.#panes = {
      talk: this.#pane("Answers", (...said) => this.#mark(...said)),
      felt: this.#pane("In this mood", (...said) => this.#mark(...said)),
      unfelt: this.#pane("Without a mood"),
    };
    byId("talk").append(this.#panes.talk.element);
    const headed = (pane) =>
      make("div", {}, make("h3", { text: pane.title }), pane.element);
    byId("compare").append(headed(this.#panes.felt), headed(this.#panes.unfelt));
    this.#cast = new CastView(byId("cast"), {
      mood: this.#mood,
      makePane: (title) => this.#pane(title),
      moods: this.#emotions.slice(0, 2).map(({ id, ceiling }) => withIntensity(NEUTRAL, id, ceiling ?? 1)),
    });
    this.#mood.watch((mood) => {
      if (this.#view === "cast") return;
      this.#main = mood;
      stored(STORE, mood);
    });
    tabs(byId("views"), (view) => this.#turnTo(view));
  }

  #pane(title, said) {
    const wants = (work) => this.#speak(this.#speakerOf(pane), work);
    const pane = new Pane({
      service: this.#service,
      emotions: this.#emotions,
      context: this.#about.context,
      title,
      note: this.#note,
      said,
      wants,
    });
    this.#made.push(pane);
    return pane;
  }

  /** The tokens of the last answer, and the number of the one that is being said; null where none
   * is. */
  #mark(tokens, index) {
    this.#editor.tell(tokens, index);
    if (index !== null) this.#gates.mark(tokens[index].asked);
  }

  /** What a personality is told to be, to who speaks in the mood that is edited. */
  #tell(system) {
    if (this.#view === "cast") this.#cast.tell(system);
    else this.#composer.system = system;
    this.#snippets.write();
  }

  #turnTo(view) {
    const main = this.#main;
    this.#view = view;
    this.#cast.isShown = view === "cast";
    if (view !== "cast") this.#mood.value = main;
    this.#snippets?.write();
  }

  // -- who speaks

  /** `[{pane, mood, system}]` of what is shown. */
  get #speakers() {
    const { talk, felt, unfelt } = this.#panes;
    const mood = this.#mood.value;
    const { system } = this.#composer;
    if (this.#view === "talk") return [{ pane: talk, mood, system }];
    if (this.#view === "cast") return this.#cast.speakers;
    return [
      { pane: felt, mood, system },
      { pane: unfelt, mood: NEUTRAL, system },
    ];
  }

  /** Who speaks in this pane, `{pane, mood, system}`. */
  #speakerOf(pane) {
    const { system } = this.#composer;
    const mood = pane === this.#panes.unfelt ? NEUTRAL : this.#main;
    return this.#cast.speakerOf(pane) ?? { pane, mood, system };
  }

  #ask(text) {
    const speakers = this.#speakers;
    const refusals = speakers.map((one) => this.#speak(one, (how) => one.pane.ask(text, how)));
    speakers[0]?.pane.reveal();
    Promise.all(refusals).then((all) => this.#giveBack(text, speakers, all));
    return speakers.length > 0;
  }

  /** A question that nobody took goes back to where it was written. */
  #giveBack(text, speakers, refusals) {
    const isTaken = refusals.some((refusal) => refusal === null);
    if (isTaken || speakers.length === 0 || this.#composer.draft !== "") return;
    speakers.forEach(({ pane }) => pane.takeBack());
    this.#composer.giveBack(text, refusals[0]);
  }

  #begin() {
    if (this.#view === "talk") this.#chats.begin();
    else this.#speakers.forEach(({ pane }) => pane.forget());
  }

  #again(speakers, { isKept = true } = {}) {
    for (const speaker of speakers.filter(({ pane }) => pane.asked !== "")) {
      this.#speak(speaker, (how) => speaker.pane.again(how, { isKept }));
    }
  }

  #live() {
    if (!this.#composer.isLive) return;
    const edited = this.#view === "cast" ? this.#cast.edited : this.#speakers.slice(0, 1);
    const others = edited.filter(({ pane, mood }) => !pane.hasAnsweredIn(written(mood)));
    this.#again(others, { isKept: false });
  }

  /** Gives why no word was said, null where some were or somebody stopped it. */
  async #speak({ pane, mood, system }, ask) {
    const how = { model: this.#about.model, ...this.#composer.how, system, mood: written(mood) };
    const turn = { pane };
    this.#speaking.add(turn);
    this.#composer.isSpeaking = true;
    this.#snippets.write();
    try {
      const saying = ask(how);
      this.#follow.begin();
      const said = await saying;
      if (said !== null) byId("announced").textContent = `${pane.title}: ${said}`;
      return null;
    } catch (error) {
      if (error instanceof Gone) this.#connection.lost();
      else if (!(error instanceof Refused)) throw error;
      else if (error.status === 401 && (await this.#isAdmitted())) {
        return this.#speak({ pane, mood, system }, (how) => pane.again(how));
      }
      return pane.hasAnswered ? null : faultSaid(error);
    } finally {
      this.#speaking.delete(turn);
      this.#composer.isSpeaking = this.#speaking.size > 0;
      if (this.#speaking.size === 0) this.#follow.over();
    }
  }

  /** The service has another key than it had. False where none is given. */
  async #isAdmitted() {
    const key = await keyGiven(this.#service);
    if (key === null) return false;
    this.#service.key = key;
    this.#preview.again();
    return true;
  }

  #gathered() {
    const { remembers: _, ...drawn } = this.#composer.how;
    const asked = this.#composer.draft || this.#speakers[0]?.pane.asked;
    return {
      base: this.#service.base,
      model: this.#about.model,
      question: asked || this.#about.questions[0] || "How was your day?",
      mood: written(this.#mood.value),
      system: this.#view === "cast" ? "" : this.#composer.system,
      hasKey: this.#service.key !== "",
      ...drawn,
    };
  }

  /** The service answers again; where it is another now, the page is made anew for it. */
  async #returned() {
    const now = await introduced(this.#service).catch((error) => {
      if (!(error instanceof Refused)) throw error;
    });
    if (!now) return;
    const before = { about: this.#about, emotions: this.#emotions };
    if (JSON.stringify(now) !== JSON.stringify(before)) location.reload();
    this.#preview.again();
  }
}
