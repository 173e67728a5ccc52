// Whether the listener sees and hears somebody; if not, what can be done about it, in words.

const NO_FACE = 2; // s
const SILENT = 3; // s

// `seen`: when a face was found last; null where that is not known.
export function faceWords({ now, seen, trouble }) {
  if (trouble) return `The face tracker fails (${trouble}). Reload the page to try again.`;
  if (seen === null || document.hidden || now - seen < NO_FACE) return "";
  return "No face is seen: one face should look into the camera, well lit and not too far away.";
}

export function soundWords({ now, source, muted }) {
  if (source.context.state === "suspended") {
    return "The browser has paused the sound. Click anywhere in the page to go on.";
  }
  const isMicrophone = source.mirrored;
  if (isMicrophone && muted) return "The microphone is muted: the listener hears nothing.";
  const { audible } = source.ear;
  if (audible === null || now - audible < SILENT || !source.element) return "";
  return isMicrophone
    ? "The microphone gives no sound: is it switched off, or is another one meant?"
    : "The video is silent: the listener hears nothing.";
}
