import { useInput } from "./file-input.js";
import { partsOf } from "./dom.js";
import { Shots } from "./shots.js";
import { CaptureWidget } from "./capture-widget.js";
import { Submission } from "./submission.js";
import { Messages } from "./messages.js";

// Time to take on another look before the next picture.
const PAUSE_MS = 2500;

/**
 * Collect several pictures, each in a pose of its own, and send them with the rest of the form;
 * where the site asks for turns of the head, with what shows those.
 * Where the form asks for consent, there is no camera before it is given, and no picture after it
 * is withdrawn.
 * @param {HTMLElement} root the widget
 */
export function startEnrolment(root) {
  const form = root.closest("form");
  const { consent } = form.elements;
  const { prompt, words: template } = partsOf(root);
  const words = new Messages(template);
  const submission = new Submission(root, words);
  const stage = new CaptureWidget(root, words, {
    onPictures: ([picture]) => add(picture, stage.pitch),
    token: () => submission.token,
  });
  const shots = new Shots(root, words, () => {
    root.focus();
    ask();
    begin();
  });
  // The visitor's pitch when looking straight ahead, which lifting the chin is set against.
  let level = null;
  let sending = false;

  const agreed = () => consent?.checked ?? true;

  async function begin() {
    if (!stage.live) await stage.start();
    if (stage.live) stage.pause(PAUSE_MS, words.get("live"), prompt.textContent);
  }

  function add(picture, pitch = null) {
    if (!shots.pose) return stage.complete();
    if (shots.pose.name === "straight") level = pitch ?? level;
    shots.add(picture);
    ask();
    if (shots.next < 0) return stage.complete();
    const next = words.get("next");
    stage.pause(PAUSE_MS, next, `${next} ${prompt.textContent}`);
  }

  function ask() {
    const { next, pose, total } = shots;
    prompt.hidden = !pose;
    if (!pose) return;
    prompt.textContent = words.get("prompt", { number: next + 1, total, pose: pose.text });
    stage.ask(pose.name, pose.name === "up" ? level : null);
  }

  function refuse(word) {
    const message = words.get(word, { count: shots.pictures.length, total: shots.total });
    const fields = { [root.dataset.name]: [message] };
    submission.refuse({ code: "missing_snapshot", message, fields });
  }

  function agree() {
    root.hidden = !agreed();
    if (agreed()) {
      root.scrollIntoView({ block: "nearest" });
      begin();
    } else {
      stage.stop();
      shots.clear();
      level = null;
      ask();
    }
  }

  async function send() {
    if (agreed() && shots.next >= 0) return refuse("missing");
    let error;
    do {
      const met = await turn();
      if (!met) return;
      error = await submission.send(shots.pictures, met);
      if (!error) return stage.finish();
      if (met.challenge) stage.complete();
    } while (error.code === "challenge_expired");
  }

  /** What shows that somebody is there; nothing where it did not come to that. */
  async function turn() {
    if (!root.dataset.challengeUrl || !agreed()) return {};
    if (!stage.live) await stage.start();
    if (!stage.live) return;
    prompt.textContent = words.get("turns");
    prompt.hidden = false;
    const { pictures, challenge, error } = await stage.turn();
    ask();
    if (error) {
      submission.refuse(error);
      stage.complete();
    }
    if (!pictures) return;
    stage.freeze(pictures.at(-1), { mirrored: true });
    return { challenge, frames: pictures };
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (submission.busy || sending) return;
    sending = true;
    await send();
    sending = false;
  });
  useInput(root, words, (photos) => {
    if (agreed() && shots.next < 0) return refuse("surplus");
    for (const each of photos) if (agreed() && shots.next >= 0) add(each);
  });
  ask();
  consent?.addEventListener("change", agree);
  root.hidden = !agreed();
  // On the way back to a page, browsers tick the box again only after scripts have run.
  addEventListener("pageshow", ({ persisted }) => {
    if (persisted) return;
    root.hidden = !agreed();
    if (agreed()) stage.startIfAllowed();
  });
}
