import { CameraChooser } from "./camera-chooser.js";
import { Camera, lastingProblem, permissionState, watchPermission } from "./camera.js";
import { Challenge } from "./challenge.js";
import { emit, partsOf } from "./dom.js";
import { Guidance } from "./guidance.js";
import { PICTURE, burstOf } from "./pictures.js";
import { Stage } from "./stage.js";
import { mark } from "./timings.js";

// What the server advises while the head is not yet as it was asked for.
const ASKED = ["turned", "turn_left", "turn_right", "lift"];

// No picture is taken while the visitor is typing in one of these.
const TYPED =
  "input:not([type=checkbox], [type=radio], [type=file]), textarea, select:not([data-part])";

/**
 * The live view: the camera, the guidance, and the moment at which a picture is taken or a challenge
 * begins. The root's `data-pose` is the pose or the step asked for; `Stage` has the states.
 */
export class CaptureWidget {
  /** True to turn the camera on and to take pictures without a press on a button. */
  auto = true;

  #root;
  #messages;
  #stage;
  #video;
  #frames;
  #format;
  #ready;
  #options;
  #challenged;
  #camera;
  #chooser;
  #guidance;
  #pose = "straight";
  #asked = "";
  #pitch = null;
  #pausedUntil = 0;
  #taking = false;
  #challenge = null;
  #automatic = false;
  #waiting = 0;
  #stale = false;

  /**
   * @param {HTMLElement} root the widget
   * @param {import("./messages.js").Messages} messages
   * @param {object} options
   * @param {(pictures: Blob[], automatic: boolean) => void} [options.onPictures] called with the
   *   pictures taken
   * @param {(passed: object, automatic: boolean) => void} [options.onPassed] called with a challenge
   *   that was passed, as `Challenge.run` returns it
   * @param {(error: object, automatic: boolean) => void} [options.onError] called if a challenge
   *   was refused
   * @param {() => boolean} [options.onLive] called when the camera is on; returns true if no
   *   picture is to be taken
   * @param {() => string} options.token the CSRF token
   * @param {() => Record<string, string>} [options.fields] what else a challenge is opened with
   * @param {number} [options.frames] how many pictures are taken at once
   * @param {object} [options.format] how large the pictures are, one of those in `pictures.js`
   * @param {boolean} [options.challenged] true to pass a challenge instead of taking pictures
   * @param {(asked: boolean) => boolean} [options.ready] returns true if everything is there that a
   *   picture needs; if the visitor `asked` for the picture, it may say what is missing
   */
  constructor(root, messages, options) {
    const { frames = 1, format = PICTURE, challenged = false, ready = () => true } = options;
    const { video, start, take, quit } = partsOf(root);
    this.#root = root;
    this.#messages = messages;
    this.#options = options;
    this.#stage = new Stage(root, messages);
    this.#video = video;
    this.#frames = frames;
    this.#format = format;
    this.#challenged = challenged;
    this.#ready = ready;
    this.#camera = new Camera(video, (problem) => this.#fail(problem));
    this.#chooser = new CameraChooser(root, messages, this.#camera, () => this.#restart());
    this.#guidance = new Guidance({
      video,
      format,
      url: root.dataset.framesUrl,
      token: options.token,
      onAdvice: (...advice) => this.#takeAdvice(...advice),
      onError: (error, temporary) => this.#showConnectionError(error, temporary),
    });
    start.addEventListener("click", () => this.start(true));
    take.addEventListener("click", () => this.take());
    quit.addEventListener("click", () => this.stop());
    this.#releaseWithPage();
    watchPermission(() => root.dataset.problem === "refused" && this.start());
    this.askFor("straight");
    this.stop();
  }

  /** @returns {boolean} true if the camera is on and shown */
  get live() {
    return this.#stage.state === "live";
  }

  /** @returns {boolean} true if the site refused, and the visitor may try again now */
  get refused() {
    return this.#stage.state === "refused" && !this.#stage.held;
  }

  /** @returns {boolean} true if the camera is on */
  get on() {
    return this.#camera.on;
  }

  /** The pitch of the face as it was last seen; null if the head was not held as asked for. */
  get pitch() {
    return this.#pitch;
  }

  /**
   * Ask for a pose from now on, and take no picture before a visitor can have heard of it.
   * @param {string} pose straight, left, right (the visitor's own), up or any
   * @param {object} [options]
   * @param {number | null} [options.level] the visitor's pitch when looking straight ahead, if known
   * @param {string} [options.prompt] what is read out, once
   * @param {number} [options.wait] milliseconds until the first picture
   */
  askFor(pose, { level = null, prompt = "", wait = 0 } = {}) {
    this.#pose = this.#root.dataset.pose = pose;
    this.#asked = prompt;
    this.#pitch = null;
    this.#pausedUntil = performance.now() + wait;
    this.#guidance.askFor(level === null ? { pose } : { pose, level });
    this.#challenge?.cancel();
    emit(this.#root, "pose", { pose });
  }

  /**
   * Turn the camera on; the browser may ask the visitor.
   * @param {boolean} [asked] true if the visitor asked for it, and so for what follows
   */
  async start(asked = false) {
    if (this.#stale) return location.reload();
    clearInterval(this.#waiting);
    if (asked) this.auto = true;
    this.#stage.show("starting", "idle", this.#messages.get("starting"));
    try {
      const started = await this.#camera.start();
      // Not if a chosen photo is shown by now.
      if (started && this.#stage.state === "starting") {
        mark("camera");
        this.resume({ asked });
        // Whoever scrolled is elsewhere on the page.
        if (asked || scrollY === 0) this.reveal();
      }
    } catch (error) {
      this.#fail(error.problem);
    }
    this.#chooser.update();
  }

  /** Turn the camera on if the browser need not ask; otherwise leave that to the button. */
  async startIfAllowed() {
    const state = await permissionState();
    if (this.#stage.state !== "off" || !this.auto) return;
    if (state === "granted") await this.start();
    if (state === "denied") this.#fail("refused");
  }

  /** Turn the camera off. */
  stop() {
    const problem = lastingProblem();
    if (problem) return this.#fail(problem);
    this.#release();
    this.#stage.show("off", "idle", this.#messages.get("off"));
  }

  /**
   * Turn the camera off: all pictures are taken.
   * @param {string} [word] the name of the message that says so
   */
  complete(word = "complete") {
    this.#release();
    this.#stage.show("complete", "good", this.#messages.get(word), { urgent: true });
  }

  /** Keep showing the last picture until the page is left, which turns the camera off. */
  finish() {
    this.#guidance.stop();
    this.#root.dataset.tone = "good";
  }

  /**
   * Turn the camera off and say why the site refuses, and what to do.
   * @param {string} text
   * @param {object} [options]
   * @param {boolean} [options.focus] true to put the focus on the text
   * @param {number} [options.seconds] how long the visitor has to wait
   * @param {boolean} [options.reload] true if only loading the page again can help
   */
  refuse(text, { focus = false, seconds = 0, reload = false } = {}) {
    this.#release();
    this.#stale = reload;
    // Whoever gets the focus reads the text.
    const read = focus ? "" : text;
    this.#stage.show("refused", "bad", text, { read, urgent: true });
    if (seconds > 0) this.#countDown(seconds);
    if (focus) this.#stage.focus();
  }

  /**
   * Take a picture now, or a burst, or begin a challenge.
   * @param {boolean} automatic false if the visitor asked for it
   * @param {string} [reason] why a challenge begins again
   */
  async take(automatic = false, reason = "") {
    if (!this.live || this.#taking || this.#challenge || !this.#ready(!automatic)) return;
    if (this.#challenged) return this.#pass(automatic, reason);
    this.#taking = true;
    try {
      const pictures = await this.#capture(automatic);
      if (!pictures.length || !this.live) return;
      emit(this.#root, "capture", { pictures, automatic });
      this.#options.onPictures(pictures, automatic);
    } finally {
      this.#taking = false;
    }
  }

  /**
   * Lead the visitor through a challenge.
   * @param {string} [reason] why it begins again
   * @returns {Promise<{challenge: string, picture: Blob} | {error: object} | {}>} {} if it was
   *   given up
   */
  async runChallenge(reason = "") {
    this.#guidance.stop();
    this.#challenge = new Challenge(this.#root, this.#messages, {
      say: (...all) => this.say(...all),
      token: this.#options.token,
      fields: this.#options.fields,
    });
    this.#stage.offer("quit");
    try {
      return (await this.#challenge.run(reason)) ?? {};
    } finally {
      this.#challenge = null;
      this.#root.dataset.pose = this.#pose;
    }
  }

  /** Give up the challenge that runs, if the page began it by itself: the visitor is busy. */
  interrupt() {
    if (this.#automatic) this.#challenge?.cancel();
  }

  /**
   * Show a picture instead of the camera, which stays on.
   * @param {Blob | null} picture null to keep showing what the camera shows now
   * @param {{mirrored: boolean}} options
   */
  freeze(picture, { mirrored = true } = {}) {
    this.#guidance.stop();
    this.#stage.freeze(picture, mirrored);
  }

  /**
   * Go back from a picture to the camera, or to the button if the camera is off.
   * @param {object} [options]
   * @param {boolean} [options.asked] true if the visitor asked for what follows
   * @param {string} [options.reason] why a challenge begins again
   */
  resume({ asked = false, reason = "" } = {}) {
    if (!this.#camera.on) return this.stop();
    // It fails only if the camera is turned off meanwhile.
    this.#video.play().catch(() => {});
    this.#stage.show("live", "idle", this.#messages.get("live"));
    if (this.#options.onLive?.()) return;
    if (!this.#challenged) {
      this.#stage.offer("take");
      return this.#guidance.start();
    }
    if (this.#ready(false) && (asked || (this.auto && !isTyping()))) this.take(!asked, reason);
    else this.#wait(asked);
  }

  /**
   * Take no picture and give no advice for a while; say something instead.
   * @param {number} milliseconds
   * @param {string} text
   */
  pause(milliseconds, text) {
    this.#pausedUntil = performance.now() + milliseconds;
    this.say(text, "idle");
  }

  /**
   * Say something under the picture.
   * @param {string} text
   * @param {string} tone
   * @param {{read?: string, urgent?: boolean}} [options] what to read out instead, and if at once
   */
  say(text, tone, options) {
    this.#stage.say(text, tone, options);
  }

  /** Scroll to the picture and what stands around it. */
  reveal() {
    this.#stage.reveal();
  }

  /** Pass a challenge, then hand over. */
  async #pass(automatic, reason) {
    this.#automatic = automatic;
    const passed = await this.runChallenge(reason);
    if (passed.error) return this.#options.onError(passed.error, automatic);
    if (passed.challenge && this.live) return this.#options.onPassed(passed, automatic);
    if (this.live) this.#wait();
  }

  /** Wait until the visitor asks for a challenge. */
  #wait(asked = false) {
    const ready = this.#ready(asked);
    this.say(this.#messages.get(ready ? "ready" : "unready"), "idle");
    this.#stage.offer("take");
  }

  async #capture(automatic) {
    // The very picture that was found good.
    if (automatic && this.#frames === 1) return [await this.#guidance.picture()];
    if (this.#frames > 1) this.say(this.#messages.get("hold"), "good");
    return burstOf(this.#video, this.#format, this.#frames);
  }

  #takeAdvice(advice, { steady, struggling, hinting, unseen }) {
    emit(this.#root, "preview", advice);
    if (this.#taking || performance.now() < this.#pausedUntil) return;
    const { ok, code, face, message } = advice;
    this.#pitch = ok ? face.head_pose_pitch : null;
    const ready = this.#ready(false);
    const automatic = ready && this.auto && !isTyping();
    let text = message;
    if (struggling) text = this.#messages.get("anyway", { advice: text });
    if (unseen) text = this.#messages.get("unseen", { advice: text });
    if (ok && !automatic) text = this.#messages.get(ready ? "ready" : "unready");
    // What was asked for is read out once, with its number.
    const asked = !struggling && ASKED.includes(code);
    const tone = ok && ready && !hinting ? "good" : asked ? "idle" : "warn";
    this.say(text, tone, { read: (asked && this.#asked) || text });
    if (steady && automatic && !hinting) {
      mark("face");
      this.take(true);
    }
  }

  #showConnectionError(error, temporary) {
    const unreachable = error.status === 0 && error.code !== "timeout";
    const text = this.#messages.get(unreachable ? "lost" : "slow");
    this.say(temporary ? text : this.#messages.forError(error), "bad");
  }

  /** Disable the button until the visitor may try again, and say how long that is. */
  #countDown(seconds) {
    const until = performance.now() + seconds * 1000;
    const tick = () => {
      const left = Math.ceil((until - performance.now()) / 1000);
      if (left <= 0) clearInterval(this.#waiting);
      const text = this.#messages.get(left > 0 ? "locked" : "unlocked", { time: inWords(left) });
      this.#stage.hold(text, left > 0);
    };
    clearInterval(this.#waiting);
    this.#waiting = setInterval(tick, 1000);
    tick();
  }

  /** Go on with the camera that the visitor chose, if one is wanted. */
  #restart() {
    this.#challenge?.cancel();
    if (["live", "problem"].includes(this.#stage.state)) this.start();
  }

  #fail(problem) {
    this.#release();
    this.#root.dataset.problem = problem;
    this.#stage.show("problem", "bad", this.#messages.get(`problem-${problem}`));
  }

  #release() {
    clearInterval(this.#waiting);
    this.#challenge?.cancel();
    this.#guidance.stop();
    this.#camera.stop();
  }

  /** Turn the camera off when the page is left, and on again if the browser brings it back. */
  #releaseWithPage() {
    let wasOn = false;
    addEventListener("pagehide", () => {
      wasOn = this.#camera.on;
      this.#release();
    });
    addEventListener("pageshow", ({ persisted }) => persisted && wasOn && this.start());
  }
}

/** Return true if the visitor is typing. */
export function isTyping() {
  return Boolean(document.activeElement?.matches(TYPED));
}

/** Return a time in the page's language, such as "30 seconds" or "2 minutes". */
function inWords(seconds) {
  const [value, unit] = seconds < 100 ? [seconds, "second"] : [Math.ceil(seconds / 60), "minute"];
  const style = { style: "unit", unit, unitDisplay: "long" };
  return new Intl.NumberFormat(document.documentElement.lang || undefined, style).format(value);
}
