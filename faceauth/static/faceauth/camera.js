const CONSTRAINTS = {
  audio: false,
  video: {
    facingMode: "user",
    width: { ideal: 1280 },
    height: { ideal: 960 },
  },
};

const PROBLEMS = {
  NotAllowedError: "refused",
  SecurityError: "refused",
  NotFoundError: "missing",
  OverconstrainedError: "missing",
  NotReadableError: "busy",
  AbortError: "busy",
};

/** Why there is no camera; `problem` completes the name of a word: problem-refused and so on. */
export class CameraError extends Error {
  constructor(problem) {
    super(problem);
    this.problem = problem;
  }
}

/** @returns {string | null} the problem that no trying again can solve on this page */
export function hopeless() {
  if (navigator.mediaDevices?.getUserMedia) return null;
  return window.isSecureContext ? "unsupported" : "insecure";
}

/**
 * Whether the visitor lets this site use the camera already.
 * @returns {Promise<PermissionState>} "prompt" where the browser does not tell
 */
export async function permission() {
  try {
    return (await navigator.permissions.query({ name: "camera" })).state;
  } catch {
    return "prompt";
  }
}

/** The visitor's camera, shown in a video element. */
export class Camera {
  #video;
  #onGone;
  #stream = null;
  #latest = 0;

  /**
   * @param {HTMLVideoElement} video
   * @param {() => void} onGone called when the camera is taken away while it is on
   */
  constructor(video, onGone) {
    this.#video = video;
    this.#onGone = onGone;
  }

  get on() {
    return this.#stream !== null;
  }

  /**
   * Turn it on.
   * @returns {Promise<boolean>} false where `stop` was called in the meantime
   * @throws {CameraError}
   */
  async start() {
    this.stop();
    const turn = this.#latest;
    const problem = hopeless();
    if (problem) throw new CameraError(problem);
    try {
      const stream = await navigator.mediaDevices.getUserMedia(CONSTRAINTS);
      if (turn !== this.#latest) {
        release(stream);
        return false;
      }
      this.#stream = stream;
      const [track] = stream.getVideoTracks();
      track.addEventListener("ended", () => this.#stream === stream && this.#onGone());
      this.#video.srcObject = stream;
      await this.#video.play();
      return turn === this.#latest;
    } catch (error) {
      if (turn !== this.#latest) return false;
      this.stop();
      throw new CameraError(PROBLEMS[error.name] ?? "unknown");
    }
  }

  /** Turn it off, and leave no light burning. */
  stop() {
    this.#latest += 1;
    if (this.#stream) release(this.#stream);
    this.#stream = null;
    this.#video.srcObject = null;
  }
}

function release(stream) {
  for (const track of stream.getTracks()) track.stop();
}
