import { useInput } from "./files.js";
import { partsOf } from "./parts.js";
import { Stage } from "./stage.js";
import { Submission } from "./submit.js";
import { Words } from "./words.js";

const PAUSE_MS = 2000;
const MOST_FAILURES = 3;

/**
 * Log in with one picture, sent as soon as it is taken or chosen.
 * @param {HTMLElement} root the widget
 */
export function startLogin(root) {
  const form = root.closest("form");
  const stuck = form.querySelector("[data-faceauth-stuck]");
  const words = new Words(partsOf(root).words);
  const submission = new Submission(root, words);
  const stage = new Stage(root, words, {
    onPicture: (picture, automatic) => send(picture, { automatic, mirrored: true }),
    token: () => submission.token,
  });
  let failures = 0;

  async function send(picture, { automatic, mirrored }) {
    if (submission.busy) return;
    stage.freeze(picture, { mirrored });
    const error = await submission.send([picture]);
    if (!error) return stage.finish();
    if (automatic) failures += 1;
    // A server that has refused three times is not to be asked for ever.
    if (failures >= MOST_FAILURES || error.code === "too_many_attempts") stage.auto = false;
    if (stuck) stuck.hidden = stage.auto;
    stage.resume();
    if (stage.live) stage.pause(PAUSE_MS, words.get(stage.auto ? "pause" : "stuck"));
  }

  form.querySelector("[type=submit]").hidden = true;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (stage.live) stage.take();
    else if (!submission.busy) stage.start();
  });
  useInput(root, words, ([photo]) => send(photo, { automatic: false, mirrored: false }));
  stage.startIfAllowed();
}
