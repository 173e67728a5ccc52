"""A listener that reacts live: to a page with a webcam, and to other programs by WebSocket.

`messages` is what goes over the wire, `listeners` the thread in which all streams advance,
`session` one client, `server` what aiohttp serves, `access` and `limits` who may do what,
`page/` what runs in the browser, `client` an example of another program. docs/live.md.
"""
