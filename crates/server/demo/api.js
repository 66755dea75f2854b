// A client of the chat API for browsers: one file, no dependencies, made to be copied.
//
//   const client = new Client({ apiKey, tokenProvider: (userId) => fetchTokenFromYourServer(userId) });
//   client.on('message.new', ({ user, message }) => console.log(user.name, message.text));
//   await client.connect({ id: 'jane', name: 'Jane' });
//   await client.watch('messaging:general', { data: { members: ['jane'] } });
//   await client.send('messaging:general', { text: 'Hello' });
//
// The client keeps its connection: when it breaks, it comes back by itself, watches the same channels again and emits
// the events that were missed meanwhile. An event may therefore arrive twice; whoever applies it must not mind.

const CLIENT_NAME = 'natterjack-demo';

/** The server expects to hear from us, and we expect to hear from it, at least this often. */
const PING_EVERY_MS = 25_000;
const SILENCE_MAX_MS = 35_000;

/** The pause before the first attempt to reconnect; it doubles with each attempt, up to the greatest. */
const PAUSE_FIRST_MS = 250;
const PAUSE_MAX_MS = 25_000;

/** Events reach different channels in different order, so that one may be missing that is older than the last one. */
const SYNC_OVERLAP_MS = 10_000;

const CHANNELS_PER_QUERY = 30;
const CHANNELS_PER_SYNC = 100;

const TOKEN_EXPIRED = 40;
const RETRYABLE = new Set([-1, 9, 23, 71]);

/** The close codes by which the server says: do not come back, and: come back with another token. */
const CLOSED_FOR_GOOD = 1000;
const CLOSED_FOR_TOKEN = 4001;

/** A call or a connection that the server refused. */
export class ApiError extends Error {
  constructor({ message, code, StatusCode }) {
    // Servers wrap the reason in the name of the operation; people want to read the reason.
    super(message.match(/failed with error: "(.*)"$/s)?.[1] ?? message);
    this.name = 'ApiError';
    this.code = code;
    this.status = StatusCode;
  }
}

/** Hands events to whoever listens to their type, and all of them to those who listen to '*'. */
class Emitter {
  #listeners = new Map();

  /** Calls `listener` with each event of this type. Returns a function that ends it. */
  on(type, listener) {
    const listeners = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, listeners.add(listener));
    return () => listeners.delete(listener);
  }

  emit(event) {
    for (const type of [event.type, '*']) {
      for (const listener of this.#listeners.get(type) ?? []) listener(event);
    }
  }
}

export class Client extends Emitter {
  #apiKey;
  #baseUrl;
  #tokenProvider;
  #token = null;
  #user = null;
  #connection = null;
  #watched = new Set();
  #lastEventAt = null;

  /** `tokenProvider` is given a user's id and returns a token for it, or a promise of one. */
  constructor({ apiKey, tokenProvider, baseUrl = location.origin }) {
    super();
    this.#apiKey = apiKey;
    this.#tokenProvider = tokenProvider;
    this.#baseUrl = baseUrl;
  }

  /**
   * Connects as a user, who is created or updated with what is given. Returns the user as the server has it.
   * Rejects when the first attempt fails; later ones are repeated until `disconnect` is called.
   *
   * While connected the client emits, besides the server's events,
   * - `connection.changed` with `online`, and with `error` when it will not come back;
   * - `connection.recovered` after a gap, with `complete: false` when the missed events could not be had.
   */
  async connect(user) {
    this.#user = user;
    this.#token = await this.#tokenProvider(user.id);
    const me = await this.#open();
    this.emit({ type: 'connection.changed', online: true });
    return me;
  }

  /** Closes the connection for good. */
  disconnect() {
    this.#user = null;
    this.#connection?.close();
    this.#connection = null;
    this.#watched.clear();
  }

  /** Makes one call and returns the reply. Every other method goes through this one. */
  async call(method, path, { query, body } = {}) {
    let { status, reply } = await this.#fetch(method, path, query, body);
    if (reply.code === TOKEN_EXPIRED) {
      this.#token = await this.#tokenProvider(this.#user.id);
      ({ status, reply } = await this.#fetch(method, path, query, body));
    }
    if (status >= 399) throw new ApiError(reply);
    return reply;
  }

  // Users

  /** Users that fit the filter, with changes of their presence from now on. */
  async queryUsers(filter, options = {}) {
    const payload = { filter_conditions: filter, presence: true, ...options };
    const { users } = await this.call('GET', '/users', { query: { payload: JSON.stringify(payload) } });
    return users;
  }

  // Channels. A `cid` is a channel's type and id, as in 'messaging:general'.

  /** Channels that fit the filter, each with its newest messages, and watches them. */
  async queryChannels(filter, options = {}) {
    const body = { filter_conditions: filter, state: true, watch: true, presence: true, ...options };
    const { channels } = await this.call('POST', '/channels', { body });
    for (const { channel } of channels) this.#watched.add(channel.cid);
    return channels;
  }

  /** Opens a channel, which is created with `data` where there is none, and watches it. */
  async watch(cid, options = {}) {
    return this.#openChannel(channelPath(cid), options);
  }

  /** Opens the one channel of this type that has exactly these members, and watches it. */
  async watchDistinct(type, members, options = {}) {
    return this.#openChannel(`/channels/${type}`, { data: { members }, ...options });
  }

  /** Gets no more events of a channel, but for notifications. */
  async stopWatching(cid) {
    this.#watched.delete(cid);
    await this.call('POST', `${channelPath(cid)}/stop-watching`, { body: {} });
  }

  /** The page of messages before a message, the oldest first. */
  async messagesBefore(cid, messageId, limit = 30) {
    const body = { state: true, messages: { limit, id_lt: messageId } };
    const { messages } = await this.call('POST', `${channelPath(cid)}/query`, { body });
    return messages;
  }

  /** Says that everything in a channel, or in one of its threads, was read. */
  async markRead(cid, threadId) {
    await this.call('POST', `${channelPath(cid)}/read`, { body: { thread_id: threadId } });
  }

  /** Says that the user began, or stopped, to type in a channel or in one of its threads. */
  async typing(cid, isTyping, parentId) {
    const event = { type: isTyping ? 'typing.start' : 'typing.stop', parent_id: parentId };
    await this.call('POST', `${channelPath(cid)}/event`, { body: { event } });
  }

  // Messages

  /** Sends a message. Give it an `id` of your own to be able to send it again after a failure without doubling it. */
  async send(cid, message) {
    try {
      const { message: sent } = await this.call('POST', `${channelPath(cid)}/message`, { body: { message } });
      return sent;
    } catch (error) {
      // An earlier attempt arrived although its answer did not.
      if (message.id && error.message.includes('already exists')) return this.message(message.id);
      throw error;
    }
  }

  /** A single message. */
  async message(messageId) {
    const { message } = await this.call('GET', messagePath(messageId));
    return message;
  }

  /** Changes single fields of a message. */
  async edit(messageId, set) {
    const { message } = await this.call('PUT', messagePath(messageId), { body: { set } });
    return message;
  }

  /** Deletes a message and leaves a sign that it was there. */
  async remove(messageId) {
    const { message } = await this.call('DELETE', messagePath(messageId));
    return message;
  }

  /** Replies to a message, the oldest first. */
  async replies(parentId, options = {}) {
    const query = { limit: 100, ...options };
    const { messages } = await this.call('GET', `${messagePath(parentId)}/replies`, { query });
    return messages;
  }

  /** Adds a reaction of the given type to a message. */
  async react(messageId, type) {
    const body = { reaction: { type } };
    const { message } = await this.call('POST', `${messagePath(messageId)}/reaction`, { body });
    return message;
  }

  /** Takes a reaction back. */
  async unreact(messageId, type) {
    const path = `${messagePath(messageId)}/reaction/${encodeURIComponent(type)}`;
    const { message } = await this.call('DELETE', path);
    return message;
  }

  /** What happened in channels since a moment, the oldest first. */
  async sync(cids, since) {
    const body = { channel_cids: cids, last_sync_at: since };
    const { events } = await this.call('POST', '/sync', { body });
    return events;
  }

  // How it works

  async #openChannel(path, { data, messages }) {
    const body = { data, messages, state: true, watch: true, presence: true };
    const state = await this.call('POST', `${path}/query`, { body });
    this.#watched.add(state.channel.cid);
    return state;
  }

  async #fetch(method, path, query, body) {
    const url = new URL(path, this.#baseUrl);
    const parameters = { api_key: this.#apiKey, user_id: this.#user.id, ...query };
    if (this.#connection) parameters.connection_id = this.#connection.id;
    url.search = new URLSearchParams(parameters);
    const headers = { authorization: this.#token, 'stream-auth-type': 'jwt', 'x-stream-client': CLIENT_NAME };
    if (body) headers['content-type'] = 'application/json';
    const response = await fetch(url, { method, headers, body: body && JSON.stringify(body) }).catch((cause) => {
      throw new Error('The server cannot be reached.', { cause });
    });
    // What stands between us and the server may answer something else than JSON.
    const { status } = response;
    const failure = () => ({ code: -1, message: `The server answered ${status}.`, StatusCode: status });
    return { status, reply: await response.json().catch(failure) };
  }

  /** Opens a socket, with a fresh token if need be, and returns the user. */
  async #open() {
    try {
      return await this.#openOnce();
    } catch (error) {
      if (error.code !== TOKEN_EXPIRED) throw error;
      this.#token = await this.#tokenProvider(this.#user.id);
      return this.#openOnce();
    }
  }

  async #openOnce() {
    const url = new URL('/connect', this.#baseUrl);
    url.protocol = url.protocol.replace('http', 'ws');
    url.search = new URLSearchParams({
      json: JSON.stringify({ user_id: this.#user.id, user_details: this.#user }),
      api_key: this.#apiKey,
      authorization: this.#token,
      'stream-auth-type': 'jwt',
      'X-Stream-Client': CLIENT_NAME,
    });
    const connection = new Connection(url, {
      onEvent: (event) => this.#receive(event),
      onClose: (code) => this.#reconnect(code),
    });
    const { me } = await connection.opened;
    if (!this.#user) {
      connection.close();
      throw new Error('disconnected');
    }
    this.#connection = connection;
    return me;
  }

  #receive(event) {
    if (event.created_at) this.#lastEventAt = event.created_at;
    this.emit(event);
  }

  /** Tries to come back until it succeeds, or the server does not want us any more. */
  async #reconnect(closeCode) {
    this.#connection = null;
    if (closeCode === CLOSED_FOR_GOOD) return this.#giveUp(new Error('The server closed the connection.'));
    this.emit({ type: 'connection.changed', online: false });
    let needsToken = closeCode === CLOSED_FOR_TOKEN;
    for (let attempt = 0; this.#user; attempt += 1) {
      await pause(attempt);
      if (!this.#user) return;
      try {
        if (needsToken) this.#token = await this.#tokenProvider(this.#user.id);
        needsToken = false;
        await this.#open();
        break;
      } catch (error) {
        if (error instanceof ApiError && !RETRYABLE.has(error.code)) return this.#giveUp(error);
      }
    }
    if (this.#user) await this.#recover();
  }

  #giveUp(error) {
    if (!this.#user) return;
    this.disconnect();
    this.emit({ type: 'connection.changed', online: false, error });
  }

  /** Watches again, because the server forgets with the connection what it watched, and catches up. */
  async #recover() {
    const cids = [...this.#watched];
    const since = this.#lastEventAt && new Date(Date.parse(this.#lastEventAt) - SYNC_OVERLAP_MS).toISOString();
    this.emit({ type: 'connection.changed', online: true });
    let complete = true;
    try {
      for (const some of chunks(cids, CHANNELS_PER_QUERY)) {
        await this.queryChannels({ cid: { $in: some } }, { state: false, limit: CHANNELS_PER_QUERY });
      }
      for (const some of chunks(cids, CHANNELS_PER_SYNC)) {
        for (const event of await this.sync(some, since)) this.emit(event);
      }
    } catch {
      // Too much happened, or the connection broke again: whoever listens reads everything anew.
      complete = false;
    }
    this.emit({ type: 'connection.recovered', complete });
  }
}

/** One WebSocket, from its first frame to its end. */
class Connection {
  /** Given by the server; calls that watch something name it. */
  id = null;
  /** The first frame, or an ApiError when the server refused. */
  opened;
  #socket;
  #handlers;
  #pinging;
  #silence;

  constructor(url, handlers) {
    this.#socket = new WebSocket(url);
    this.#handlers = handlers;
    this.opened = new Promise((resolve, reject) => {
      const fail = () => this.#end(reject, new Error('The server cannot be reached.'));
      this.#listenForSilence(fail);
      this.#socket.onclose = fail;
      this.#socket.onmessage = ({ data }) => {
        const first = JSON.parse(data);
        if (first.error) return this.#end(reject, new ApiError(first.error));
        this.#start(first);
        resolve(first);
      };
    });
  }

  /** Ends the connection and tells nobody. */
  close() {
    clearInterval(this.#pinging);
    clearTimeout(this.#silence);
    this.#socket.onmessage = null;
    this.#socket.onclose = null;
    this.#socket.close();
  }

  /** From the first frame on. */
  #start(first) {
    const { onEvent, onClose } = this.#handlers;
    const lost = (code) => this.#end(onClose, code);
    this.id = first.connection_id;
    onEvent(first);
    this.#listenForSilence(lost);
    this.#socket.onclose = ({ code }) => lost(code);
    this.#socket.onmessage = ({ data }) => {
      this.#listenForSilence(lost);
      onEvent(JSON.parse(data));
    };
    const ping = JSON.stringify([{ type: 'health.check', client_id: this.id }]);
    this.#pinging = setInterval(() => this.#socket.send(ping), PING_EVERY_MS);
  }

  /** A network that went away tells nobody; only the silence does. */
  #listenForSilence(lost) {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => lost(), SILENCE_MAX_MS);
  }

  #end(tell, what) {
    this.close();
    tell(what);
  }
}

/** Waits before an attempt to reconnect, each time longer, at random so that not all clients come back at once. */
function pause(attempt) {
  const longest = Math.min(PAUSE_FIRST_MS * 2 ** attempt, PAUSE_MAX_MS);
  return new Promise((resolve) => {
    const timer = setTimeout(done, longest * (0.5 + Math.random() / 2));
    // The network is back: no need to wait.
    addEventListener('online', done);
    function done() {
      clearTimeout(timer);
      removeEventListener('online', done);
      resolve();
    }
  });
}

function channelPath(cid) {
  const [type, id] = cid.split(':');
  return `/channels/${encodeURIComponent(type)}/${encodeURIComponent(id)}`;
}

function messagePath(messageId) {
  return `/messages/${encodeURIComponent(messageId)}`;
}

function* chunks(list, size) {
  for (let start = 0; start < list.length; start += size) yield list.slice(start, start + size);
}
