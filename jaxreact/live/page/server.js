// The server that this page came from.

const query = new URLSearchParams(location.search);

// Why the server does not answer this page, in its own words.
export class Refused extends Error {}

// An address of the server, also below a prefix; with the token that this page was given.
export function address(path, values = {}) {
  const url = new URL(path, document.baseURI);
  url.search = new URLSearchParams(values);
  if (query.has("token")) url.searchParams.set("token", query.get("token"));
  return url;
}

export function socketAddress(path, values) {
  const url = address(path, values);
  url.protocol = url.protocol.replace("http", "ws");
  return url;
}

export async function load(path) {
  const answer = await fetch(address(path));
  if (answer.status === 403) throw new Refused((await answer.text()).trim());
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}
