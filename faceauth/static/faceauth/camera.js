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

/** The camera could not be turned on; `problem` completes a message's name: problem-refused, ... */
export class CameraError extends Error {
  /** @param {string} problem */
  constructor(problem) {
    super(problem);
    this.problem = problem;
  }
}

/**
 * Return the problem that rules out any camera on this page, however often one tries.
 * @returns {"unsupported" | "insecure" | null}
 */
export function lastingProblem() {
  if (navigator.mediaDevices?.getUserMedia) return null;
  return window.isSecureContext ? "unsupported" : "insecure";
}

/**
 * Return whether the visitor allows this site to use the camera already.
 * @returns {Promise<PermissionState>} "prompt" if the browser does not say
 */
export async function permissionState() {
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
  // Counts the calls of start and stop, so that a late answer to an earlier one is recognised.
  #latest = 0;

  /**
   * @param {HTMLVideoElement} video
   * @param {() => void} onGone called when the camera is taken away while it is on
   */
  constructor(video, onGone) {
    this.#video = video;
    this.#onGone = onGone;
  }

  /** @returns {boolean} */
  get on() {
    return this.#stream !== null;
  }

  /**
   * Turn the camera on.
   * @returns {Promise<boolean>} false if `stop` was called in the meantime
   * @throws {CameraError}
   */
  async start() {
    this.stop();
    const call = this.#latest;
    const problem = lastingProblem();
    if (problem) throw new CameraError(problem);
    try {
      const stream = await navigator.mediaDevices.getUserMedia(CONSTRAINTS);
      if (call !== this.#latest) {
        release(stream);
        return false;
      }
      this.#stream = stream;
      const [track] = stream.getVideoTracks();
      track.addEventListener("ended", () => this.#stream === stream && this.#onGone());
      this.#video.srcObject = stream;
      await this.#video.play();
      return call === this.#latest;
    } catch (error) {
      if (call !== this.#latest) return false;
      this.stop();
      throw new CameraError(PROBLEMS[error.name] ?? "unknown");
    }
  }

  /** Turn the camera off, and its light with it. */
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
