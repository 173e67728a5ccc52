// A face over time as a csv of Live Link Face: what jaxreact/export/arkit_csv.py writes in Python;
// jaxreact/media/live_link_format.py says what the columns mean.

const TICKS = 60; // frames a second that a timecode counts
const EYE_RADIANS = { In: 0.6, Out: 0.75, Up: 0.45, Down: 0.65 }; // at weight 1
const [PITCH, YAW, ROLL] = [52, 53, 54];

const twoDigits = (number) => String(number).padStart(2, "0");

// A time of day, in seconds.
function timecode(seconds) {
  const whole = Math.floor(seconds * TICKS * 1000 + 0.5);
  const second = Math.floor(whole / (TICKS * 1000));
  const part = whole % (TICKS * 1000);
  const clock = [Math.floor(second / 3600) % 24, Math.floor(second / 60) % 60, second % 60];
  const tick = `${twoDigits(Math.floor(part / 1000))}.${String(part % 1000).padStart(3, "0")}`;
  return [...clock.map(twoDigits), tick].join(":");
}

const withinOne = (weight) => Math.min(Math.max(weight, 0), 1);
const withinPi = (angle) => angle - 2 * Math.PI * Math.floor((angle + Math.PI) / (2 * Math.PI));

// `names` are those of a row's first columns, `columns` those of the file's 61 numbers; `times` are
// in seconds, of which the first is at midnight.
function liveLinkCsv({ names, columns, times, rows }) {
  const place = new Map(names.map((name, index) => [name.toLowerCase(), index]));
  const units = columns.slice(0, 52).map((name) => place.get(name.toLowerCase()));
  const lines = rows.map((row, i) => {
    const weight = (name) => withinOne(row[place.get(name.toLowerCase())]);
    const eye = (way, side) => EYE_RADIANS[way] * weight(`eyeLook${way}${side}`);
    const down = (side) => eye("Down", side) - eye("Up", side);
    const values = [
      ...units.map((index) => withinOne(row[index])),
      ...[-row[YAW], row[PITCH] - Math.PI, -row[ROLL]].map(withinPi),
      ...[eye("In", "Left") - eye("Out", "Left"), down("Left"), 0],
      ...[eye("Out", "Right") - eye("In", "Right"), down("Right"), 0],
    ];
    const numbers = values.map((value) => value.toFixed(10));
    return [timecode(times[i] - times[0]), columns.length, ...numbers].join(",");
  });
  return [["Timecode", "BlendshapeCount", ...columns].join(","), ...lines, ""].join("\n");
}
