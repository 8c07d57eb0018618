// The way to the server: it asks for the token where one is needed, and comes back when it is lost.

import { SUBPROTOCOL, packFrame, unpackResult } from "./protocol.js";

const LONGEST_WAIT_S = 8;
const BUSY_WAIT_S = 5;
const CLOSED_IDLE = 4000;
const CLOSED_BUSY = 4001;

/**
 * Tells what happens through `on`: state(name, words), facts(facts), result(result), notice(notice).
 * States are waiting, live, asleep, busy, lost, token.
 */
export class Connection {
  #on;
  #socket = null;
  #timer = 0;
  #failures = 0;
  #isAsking = false;
  #isRefused = false;
  #token = "";

  constructor(on) {
    this.#on = on;
    this.#token = takeToken();
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.wake();
    });
  }

  get isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** Connects, now and whenever the connection is lost. */
  async open(token = this.#token) {
    if (this.#socket || this.#isAsking) return;
    clearTimeout(this.#timer);
    this.#token = token;
    this.#on.state("waiting", "Connecting…");
    this.#isAsking = true;
    try {
      const reply = await fetch("hello", { headers: token ? { Authorization: `Bearer ${token}` } : {} });
      if (reply.status === 401) {
        this.#isRefused = true;
        this.#on.state("token", token ? "The token is wrong" : "A token is needed");
      } else if (reply.ok) {
        this.#isRefused = false;
        keepToken(token);
        this.#on.facts(await reply.json());
        this.#connect();
      } else {
        this.#retry("lost", `The server said ${reply.status}`, this.#pause());
      }
    } catch {
      this.#retry("lost", "Connection lost", this.#pause());
    } finally {
      this.#isAsking = false;
    }
  }

  /** Connects where there is no connection, without waiting for the next try. */
  wake() {
    if (!this.#isRefused) this.open();
  }

  /** Sends one picture. */
  sendFrame(number, timeS, jpeg) {
    this.#socket.send(packFrame(number, timeS, jpeg));
  }

  /** Sends a command; it is lost while there is no connection. */
  send(command) {
    if (this.isOpen) this.#socket.send(JSON.stringify(command));
  }

  #connect() {
    const address = new URL("live", location.href);
    address.protocol = address.protocol.replace("http", "ws");
    address.hash = "";
    const socket = new WebSocket(address, this.#token ? [SUBPROTOCOL, `token.${this.#token}`] : [SUBPROTOCOL]);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      if (typeof data === "string") this.#notice(JSON.parse(data));
      else this.#on.result(unpackResult(data));
    };
    socket.onclose = ({ code, reason }) => {
      this.#socket = null;
      if (code === CLOSED_BUSY) this.#retry("busy", reason, BUSY_WAIT_S);
      else if (code === CLOSED_IDLE) this.#on.state("asleep", "Asleep until the camera runs");
      else this.#retry("lost", reason || "Connection lost", this.#pause());
    };
  }

  #notice(notice) {
    if (notice.type === "ready") {
      this.#failures = 0;
      this.#on.state("live", "Connected");
    }
    this.#on.notice(notice);
  }

  #pause() {
    this.#failures += 1;
    return Math.min(LONGEST_WAIT_S, 0.5 * 2 ** (this.#failures - 1));
  }

  #retry(state, words, seconds) {
    this.#on.state(state, `${words}. Trying again${seconds >= 1 ? ` in ${Math.round(seconds)} s` : ""}…`);
    this.#timer = setTimeout(() => this.open(), seconds * 1000);
  }
}

/** The token of the address, which then no longer shows it, or the one of this tab. */
function takeToken() {
  const found = /[#&]token=([\w-]+)/.exec(location.hash);
  if (found) history.replaceState(null, "", location.pathname + location.search);
  return found?.[1] ?? sessionStorage.getItem("token") ?? "";
}

function keepToken(token) {
  if (token) sessionStorage.setItem("token", token);
}
