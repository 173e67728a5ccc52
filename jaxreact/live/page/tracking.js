// The faces in the pictures of a source: found in the browser, or by the server, which gets JPEGs.

const LOADING = 60000; // ms
const WIDEST = 320; // pixels of a picture that goes to the server
const APART = 1 / 12; // s between two of those

// Finds faces with MediaPipe, one picture at a time; pictures that come meanwhile are left out.
export class Tracker {
  // Rejects where MediaPipe is missing or does not run here.
  static async load({ folder, expressions, delegate }) {
    const address = new URL("tracking_worker.js", import.meta.url);
    const worker = new Worker(address, { type: "module" });
    await new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error("it took too long to load")), LOADING);
      worker.onerror = (event) => reject(new Error(event.message ?? "the worker did not start"));
      worker.onmessage = ({ data }) => {
        clearTimeout(timer);
        if (data.ready) resolve();
        else reject(new Error(data.trouble));
      };
      worker.postMessage({ load: { folder, expressions, delegate } });
    }).catch((error) => {
      worker.terminate();
      throw error;
    });
    return new Tracker(worker);
  }

  constructor(worker) {
    this.worker = worker;
    this.busy = false;
    this.id = 0;
    this.ms = 0;
    this.trouble = ""; // why it fails
    this.found = () => {};
    worker.onmessage = ({ data }) => {
      if (data.id !== this.id) return; // of a source that has ended
      this.busy = false;
      this.trouble = data.trouble ?? "";
      this.found(this.time, data.row ?? null);
    };
  }

  // `found(time, row)` gets what is in each picture from now on; row is null without a face.
  begin(found) {
    this.found = found;
    this.id += 1;
    this.busy = false;
  }

  async see(video, time) {
    if (this.busy) return;
    this.busy = true;
    const id = ++this.id;
    try {
      const picture = await createImageBitmap(video);
      if (id !== this.id) {
        picture.close();
        return;
      }
      this.time = time;
      this.ms = Math.max(Math.round(time * 1000), this.ms + 1); // must increase
      this.worker.postMessage({ picture, ms: this.ms, id }, [picture]);
    } catch {
      this.busy = false; // a video that shows nothing yet
    }
  }
}

// Makes JPEGs of a source's pictures for a server that tracks.
export class Photographer {
  constructor() {
    this.canvas = document.createElement("canvas");
    this.last = -Infinity;
    this.busy = false;
    this.found = () => {};
  }

  // `found(time, jpeg)` gets each picture as an ArrayBuffer.
  begin(found) {
    this.found = found;
  }

  async see(video, time) {
    if (this.busy || time < this.last + APART || !video.videoWidth) return;
    this.busy = true;
    this.last = time;
    const { canvas, found } = this;
    const scale = Math.min(1, WIDEST / video.videoWidth, (2 * WIDEST) / video.videoHeight);
    canvas.width = Math.round(scale * video.videoWidth);
    canvas.height = Math.round(scale * video.videoHeight);
    canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.85));
    if (blob) found(time, await blob.arrayBuffer());
    this.busy = false;
  }
}

// By how many degrees a row's pose matrix bows the head.
export function pitchOf(row) {
  const matrix = row.subarray(row.length - 16);
  return (Math.atan2(matrix[6], matrix[10]) * 180) / Math.PI;
}
