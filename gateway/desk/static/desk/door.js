// The login page: open pages of this browser are told to look whether they are still somebody's.
const { root } = document.body.dataset;
if ("BroadcastChannel" in window) new BroadcastChannel(`cti:session:${root}`).postMessage({ session: "" });
