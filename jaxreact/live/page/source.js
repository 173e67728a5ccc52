// Where the speaker comes from: a camera and a microphone, a video file, or a conversation that
// the server has as data. Each tells `on` what it has, on the page's clock:
//   hear(time, samples)  16 kHz sound, 40 ms at a time
//   see(video, time)     a new picture; or faces(times, rows), where no picture has to be tracked
//   ended(words)         nothing more comes; words say why, if it is not the end
// and has `element` to look at (null: a head shows it), `context` and `tap`, its sound for a
// recording.

// A problem, in words for the person in front of the page.
export class Trouble extends Error {}

// A source that has begun; one that cannot begin gives back what it has taken.
export async function opened(source, on) {
  try {
    await source.begin(on);
  } catch (error) {
    source.close();
    throw error;
  }
  return source;
}
