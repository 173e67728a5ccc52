// MediaPipe's Face Landmarker in a thread of its own, so that the heads are drawn smoothly.
// In: {load: {folder, expressions, delegate}}, then {picture: ImageBitmap, ms, id}.
// Out: {ready}, {trouble}, or {id, row}: 52 weights and the pose matrix, null where no face is.

// MediaPipe's native log, all of which arrives as errors and warnings; what fails is thrown, too.
for (const name of ["log", "info", "warn", "error"]) console[name] = console.debug;

let landmarker = null;
let names = [];

async function load({ folder, expressions, delegate }) {
  names = expressions;
  const { FaceLandmarker, FilesetResolver } = await import(`${folder}vision_bundle.mjs`);
  const files = await FilesetResolver.forVisionTasks(`${folder}wasm`, true);
  landmarker = await FaceLandmarker.createFromOptions(files, {
    baseOptions: { modelAssetPath: `${folder}face_landmarker.task`, delegate },
    runningMode: "VIDEO",
    numFaces: 1, // with 2, MediaPipe does not follow, but searches each picture anew
    outputFaceBlendshapes: true,
    outputFacialTransformationMatrixes: true,
  });
  landmarker.detectForVideo(new ImageData(64, 64), 0); // the first picture takes long
}

function look(picture, ms) {
  const { faceBlendshapes, facialTransformationMatrixes } = landmarker.detectForVideo(picture, ms);
  if (!faceBlendshapes.length || !facialTransformationMatrixes.length) return null;
  const weights = Object.fromEntries(
    faceBlendshapes[0].categories.map(({ categoryName, score }) => [categoryName, score]),
  );
  const row = new Float32Array(names.length + 16);
  row.set(names.map((name) => weights[name] ?? 0)); // MediaPipe knows no tongueOut
  row.set(facialTransformationMatrixes[0].data, names.length);
  return row;
}

self.onmessage = async ({ data }) => {
  try {
    if (data.load) {
      await load(data.load);
      self.postMessage({ ready: true });
      return;
    }
    const row = look(data.picture, data.ms);
    self.postMessage({ id: data.id, row }, row ? [row.buffer] : []);
  } catch (error) {
    self.postMessage({ trouble: String(error?.message ?? error), id: data.id });
  } finally {
    data.picture?.close();
  }
};
