/** Longest sides in pixels and JPEG qualities of the pictures that are sent. */
export const FRAME = { longest: 480, quality: 0.8 };
export const PICTURE = { longest: 1280, quality: 0.92 };
/** What anyone may send: within MAX_FRAME_PIXELS and MAX_FRAME_BYTES. */
export const SMALL = { longest: 800, pixels: 490_000, bytes: 250_000, quality: 0.85 };
const PHOTO = { longest: 2048, quality: 0.92 };
// The formats that the server reads. What else a browser can read is sent as a JPEG.
const SENT_AS_IT_IS = ["image/jpeg", "image/png", "image/webp"];

// Long enough for a face to move a little, short enough to be one burst.
const BURST_INTERVAL_MS = 225;

/**
 * Return what a video shows now.
 * @param {HTMLVideoElement} video
 * @param {{longest: number, quality: number}} format
 * @returns {Promise<Blob | null>} a JPEG; null if there is no frame yet
 */
export async function pictureOf(video, format) {
  return hasFrame(video) ? encode(video, video.videoWidth, video.videoHeight, format) : null;
}

/**
 * Return true if a video shows a frame.
 * @param {HTMLVideoElement} video
 */
export function hasFrame(video) {
  return video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA && video.videoWidth > 0;
}

/** Takes small frames of a video, to be judged, and returns the whole picture of the last one. */
export class Snapper {
  #video;
  #format;
  #whole = document.createElement("canvas");
  #small = document.createElement("canvas");

  /**
   * @param {HTMLVideoElement} video
   * @param {{longest: number, quality: number}} format of the whole picture
   */
  constructor(video, format) {
    this.#video = video;
    this.#format = format;
  }

  /**
   * Return what the video shows now.
   * @param {{longest: number, quality: number}} format
   * @returns {Promise<Blob | null>} a JPEG; null if there is no frame yet
   */
  async frame(format) {
    const [video, whole] = [this.#video, this.#whole];
    if (!hasFrame(video)) return null;
    drawOn(whole, video, video.videoWidth, video.videoHeight, this.#format);
    return jpegOf(drawOn(this.#small, whole, whole.width, whole.height, format), format);
  }

  /**
   * Return the picture that the last frame was made from.
   * @returns {Promise<Blob>} a JPEG
   */
  picture() {
    return jpegOf(this.#whole, this.#format);
  }
}

/**
 * Return what a video shows now and shortly after.
 * @param {HTMLVideoElement} video
 * @param {{longest: number, quality: number}} format
 * @param {number} count
 * @returns {Promise<Blob[]>} JPEGs, `count` of them as long as there are frames
 */
export async function burstOf(video, format, count) {
  const pictures = [];
  for (let i = 0; i < count; i += 1) {
    if (i > 0) await new Promise((done) => setTimeout(done, BURST_INTERVAL_MS));
    pictures.push(await pictureOf(video, format));
  }
  return pictures.filter(Boolean);
}

/**
 * Return a chosen photo, upright and no larger than useful.
 * @param {File} file
 * @param {{longest: number, pixels?: number, bytes?: number, quality: number}} format
 * @returns {Promise<Blob | null>} null if the browser can't read the file; nor can the server then
 */
export async function pictureFrom(file, format = PHOTO) {
  try {
    const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
    try {
      const { width, height } = bitmap;
      const fits = scaleOf(width, height, format) === 1 && file.size <= (format.bytes ?? Infinity);
      if (fits && SENT_AS_IT_IS.includes(file.type)) return file;
      const photo = await encode(bitmap, width, height, format);
      return new File([photo], file.name, { type: photo.type });
    } finally {
      bitmap.close();
    }
  } catch {
    return null;
  }
}

function scaleOf(width, height, { longest, pixels = Infinity }) {
  return Math.min(1, longest / Math.max(width, height), Math.sqrt(pixels / (width * height)));
}

function encode(source, width, height, format) {
  return jpegOf(drawOn(document.createElement("canvas"), source, width, height, format), format);
}

/**
 * Draw a picture onto a canvas, no larger than useful.
 * @param {HTMLCanvasElement} canvas
 * @param {CanvasImageSource} source
 * @param {number} width of the source
 * @param {number} height of the source
 * @param {{longest: number, pixels?: number}} format
 * @returns {HTMLCanvasElement} the canvas
 */
export function drawOn(canvas, source, width, height, format) {
  const scale = scaleOf(width, height, format);
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  canvas.getContext("2d").drawImage(source, 0, 0, canvas.width, canvas.height);
  return canvas;
}

/**
 * Encode what a canvas shows.
 * @param {HTMLCanvasElement} canvas
 * @param {{quality: number}} format
 * @returns {Promise<Blob>} a JPEG
 */
export async function jpegOf(canvas, { quality }) {
  const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", quality));
  if (!blob) throw new Error("The browser could not encode the picture.");
  return blob;
}
