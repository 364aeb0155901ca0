import { useInput } from "./files.js";
import { partsOf } from "./parts.js";
import { Shots } from "./shots.js";
import { Stage } from "./stage.js";
import { Submission } from "./submit.js";
import { Words } from "./words.js";

// Time to take on another look before the next picture.
const PAUSE_MS = 2500;
const TURN = 1;

/**
 * Collect several pictures and send them with the rest of the form. Where the form asks for
 * consent, there is no camera before it is given, and no picture after it is withdrawn.
 * @param {HTMLElement} root the widget
 */
export function startEnrolment(root) {
  const form = root.closest("form");
  const { consent } = form.elements;
  const { prompt, words: template, choice } = partsOf(root);
  const input = choice.querySelector("[type=file]");
  const words = new Words(template);
  const poses = words.all("pose");
  const submission = new Submission(root, words);
  const stage = new Stage(root, words, { onPicture: add, token: () => submission.token });
  const shots = new Shots(root, words, () => {
    root.focus();
    ask();
    begin();
  });

  const agreed = () => consent?.checked ?? true;

  async function begin() {
    if (!stage.live) await stage.start();
    if (stage.live) stage.pause(PAUSE_MS, words.get("live"));
  }

  function add(picture) {
    shots.add(picture);
    ask();
    if (shots.next < 0) stage.complete();
    else if (stage.live) stage.pause(PAUSE_MS, words.get("next"));
  }

  function ask() {
    const pose = shots.next % poses.length;
    const values = { number: shots.next + 1, total: shots.total, pose: poses[pose] };
    prompt.hidden = shots.next < 0;
    prompt.textContent = words.get("prompt", values);
    stage.turning = pose === TURN;
  }

  function refuse(word) {
    const message = words.get(word, { count: shots.pictures.length, total: shots.total });
    submission.refuse({ code: "missing_snapshot", message, fields: { [input.name]: [message] } });
  }

  function agree() {
    root.hidden = !agreed();
    if (agreed()) {
      root.scrollIntoView({ block: "nearest" });
      begin();
    } else {
      stage.stop();
      shots.clear();
      ask();
    }
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (submission.busy) return;
    if (agreed() && shots.next >= 0) return refuse("missing");
    const error = await submission.send(shots.pictures);
    if (!error) stage.finish();
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
