// Puts the page together: signs in, listens to the client, and shows what the model knows.
//
// The address tells what is open: #/CHANNEL or #/CHANNEL/MESSAGE for the thread of a message. So links, the back
// button and a reload do what one expects.

import { Client } from './api.js';
import { isOnline, renderChannels } from './channel-list.js';
import { byId } from './dom.js';
import { nameList, plural } from './format.js';
import { Model } from './model.js';
import { NewChannelDialog } from './new-channel.js';
import { Pane } from './pane.js';

const CHANNEL_TYPE = 'messaging';
const PAGE_SIZE = 30;
/** How a channel is opened. */
const PAGE = { messages: { limit: PAGE_SIZE } };
/** A sign of typing is over by then. */
const TYPING_CHECK_MS = 7_100;
const PROBLEM_SHOWN_MS = 8_000;
const USER_KEY = 'natterjack-demo-user';

class Chat {
  #client;
  #model;
  #conversationPane;
  #threadPane;
  /** The route that was shown last. */
  #shown = {};
  #isRenderQueued = false;
  #isLoadingOlder = false;

  constructor(client, me) {
    this.#client = client;
    this.#model = new Model(me, PAGE_SIZE);
  }

  async start() {
    byId('me').textContent = this.#model.nameOf(this.#model.me.id);
    const actions = this.#paneActions();
    this.#conversationPane = new Pane(byId('conversation'), { ...actions, beginning: () => this.#loadOlder() });
    this.#threadPane = new Pane(byId('thread'), this.#paneActions(true));
    new NewChannelDialog(this.#client, this.#model.me, {
      onCreate: (name, members) => this.#try(() => this.#createChannel(name, members)),
      onProblem: showProblem,
    });
    byId('sign-out').addEventListener('click', () => this.#signOut());
    addEventListener('hashchange', () => this.#open());
    document.addEventListener('visibilitychange', () => this.#render());
    this.#client.on('*', (event) => this.#receive(event));
    await this.#loadChannels();
    await this.#open();
  }

  // What is open

  get #route() {
    const [, cid, threadId] = location.hash.split('/').map(decodeURIComponent);
    return { cid, threadId };
  }

  get #conversation() {
    return this.#model.conversation(this.#route.cid);
  }

  /** Shows what the address says, and gets it from the server first if need be. */
  async #open() {
    const { cid, threadId } = this.#route;
    await this.#try(async () => {
      if (cid && !this.#conversation) await this.#add(cid);
      if (threadId) await this.#loadThread(cid, threadId);
    });
    // Somebody who went on meanwhile wants to see something else.
    if (this.#route.cid !== cid || this.#route.threadId !== threadId) return;
    if ((cid && !this.#conversation) || (threadId && !this.#conversation.threads.has(threadId))) {
      location.hash = '';
      return;
    }
    this.#renderNow();
    this.#moveFocus(this.#shown, { cid, threadId });
    this.#shown = { cid, threadId };
  }

  /** Out of a thread back to its message, else to where one writes. */
  #moveFocus(before, now) {
    if (before.cid === now.cid && before.threadId === now.threadId) return;
    if (before.threadId && before.cid === now.cid && !now.threadId) {
      this.#conversationPane.focusMessage(before.threadId);
      return;
    }
    // On a touch screen the focus would open the keyboard.
    if (matchMedia('(pointer: coarse)').matches) return;
    if (now.threadId) this.#threadPane.composer.focus();
    else if (now.cid) this.#conversationPane.composer.focus();
  }

  async #loadChannels() {
    const filter = { type: CHANNEL_TYPE, members: { $in: [this.#model.me.id] } };
    const sort = [{ field: 'last_updated', direction: -1 }];
    this.#model.replaceAll(await this.#client.queryChannels(filter, { sort, limit: 30, message_limit: PAGE_SIZE }));
    this.#render();
  }

  async #loadThread(cid, threadId) {
    const conversation = this.#model.conversation(cid);
    const parent = conversation.find(threadId) ?? (await this.#client.message(threadId));
    const replies = await this.#client.replies(threadId);
    conversation.openThread([parent, ...replies]);
    // Before the first reply there is no thread that could be read.
    if (replies.length > 0) await this.#client.markRead(cid, threadId);
  }

  async #loadOlder() {
    const conversation = this.#conversation;
    const [first] = conversation?.main.messages ?? [];
    if (!first || !conversation.hasOlder || this.#isLoadingOlder) return;
    this.#isLoadingOlder = true;
    await this.#try(async () => {
      const older = await this.#client.messagesBefore(conversation.cid, first.id, PAGE_SIZE);
      conversation.main.putAll(older);
      conversation.hasOlder = older.length >= PAGE_SIZE;
    });
    this.#isLoadingOlder = false;
    this.#renderNow();
  }

  // What the user does

  #paneActions(isThread = false) {
    const parentId = () => (isThread ? this.#route.threadId : undefined);
    const pane = () => (isThread ? this.#threadPane : this.#conversationPane);
    return {
      send: (text) => this.#send(text, parentId()),
      retry: (message) => this.#deliver(message),
      edit: (message, text) => {
        if (text === undefined) pane().composer.edit(message);
        else this.#try(() => this.#client.edit(message.id, { text }));
      },
      remove: (message) => this.#remove(message, pane()),
      react: (message, type, isGiven) =>
        this.#try(() => (isGiven ? this.#client.unreact(message.id, type) : this.#client.react(message.id, type))),
      // Nobody misses a sign of typing that did not arrive.
      typing: (isTyping) => this.#client.typing(this.#route.cid, isTyping, parentId()).catch(() => {}),
      end: () => this.#markRead(),
      escape: () => {
        if (isThread) location.hash = hrefOf(this.#route.cid);
      },
    };
  }

  async #createChannel(name, members) {
    const everybody = [this.#model.me.id, ...members];
    const data = { name: name || 'Notes', members: everybody };
    // A conversation without a name is the one of just these people, and there is only one of it.
    const isDistinct = !name && members.length > 0;
    const state = isDistinct
      ? await this.#client.watchDistinct(CHANNEL_TYPE, everybody, PAGE)
      : await this.#client.watch(`${CHANNEL_TYPE}:${newId()}`, { data, ...PAGE });
    const { cid } = this.#model.put(state);
    location.hash = hrefOf(cid);
  }

  /** Shows a message at once and sends it. */
  async #send(text, parentId) {
    const { id: me } = this.#model.me;
    const message = {
      id: `${me}-${newId()}`,
      text,
      parent_id: parentId,
      user: this.#model.user(me),
      created_at: new Date().toISOString(),
    };
    await this.#deliver({ ...message, cid: this.#route.cid });
  }

  async #deliver(message) {
    const conversation = this.#model.conversation(message.cid);
    const show = (shown) => {
      for (const list of conversation.listsOf(message)) list.put(shown);
      this.#render();
    };
    show({ ...message, status: 'sending' });
    try {
      const { id, text, parent_id } = message;
      show(await this.#client.send(message.cid, { id, text, parent_id }));
    } catch (error) {
      show({ ...message, status: 'failed' });
      showProblem(error);
    }
  }

  #remove(message, pane) {
    const dialog = byId('delete-message');
    dialog.querySelector('.quoted').textContent = message.text;
    dialog.returnValue = '';
    dialog.showModal();
    const closed = () => {
      pane.focusMessage(message.id);
      if (dialog.returnValue === 'delete') this.#try(() => this.#client.remove(message.id));
    };
    dialog.addEventListener('close', closed, { once: true });
  }

  /** Says that the open conversation was read, when its end can be seen. */
  #markRead() {
    const conversation = this.#conversation;
    const isSeen = document.visibilityState === 'visible' && this.#conversationPane.isAtEnd;
    if (!conversation?.unread || !isSeen) return;
    conversation.unread = 0;
    this.#try(() => this.#client.markRead(conversation.cid));
  }

  /** Begins anew with an empty page. */
  #signOut() {
    this.#client.disconnect();
    sessionStorage.removeItem(USER_KEY);
    location.assign('/demo');
  }

  // What happens

  #receive(event) {
    const isKnown = !event.cid || this.#model.conversation(event.cid);
    this.#model.apply(event);
    switch (event.type) {
      case 'message.new':
        this.#announce(event);
        break;
      case 'typing.start':
        setTimeout(() => this.#render(), TYPING_CHECK_MS);
        break;
      case 'notification.message_new':
      case 'notification.added_to_channel':
        if (!isKnown) this.#try(() => this.#add(event.cid));
        break;
      case 'connection.changed':
        showConnection(event);
        break;
      case 'connection.recovered':
        this.#try(async () => {
          await this.#loadChannels();
          await this.#open();
        });
        break;
    }
    this.#render();
  }

  async #add(cid) {
    this.#model.put(await this.#client.watch(cid, PAGE));
    this.#render();
  }

  /** Has new messages read aloud, and says that an open thread was read. */
  #announce({ cid, user, message }) {
    if (user.id === this.#model.me.id) return;
    const { cid: open, threadId } = this.#route;
    const name = this.#model.nameOf(user.id);
    const isOpen = cid === open && (!message.parent_id || message.parent_id === threadId);
    const place = this.#model.conversation(cid)?.name;
    byId('announcer').textContent = isOpen ? `${name}: ${message.text}` : `New message from ${name} in ${place}`;
    if (isOpen && message.parent_id) this.#try(() => this.#client.markRead(cid, threadId));
  }

  async #try(action) {
    try {
      return await action();
    } catch (error) {
      showProblem(error);
    }
  }

  // What is shown

  /** Shows everything anew, once for all that happens at the same time. */
  #render() {
    if (this.#isRenderQueued) return;
    this.#isRenderQueued = true;
    queueMicrotask(() => this.#renderNow());
  }

  #renderNow() {
    this.#isRenderQueued = false;
    const conversation = this.#conversation;
    const thread = conversation?.threads.get(this.#route.threadId);
    byId('chat').dataset.view = (thread && 'thread') || (conversation && 'conversation') || 'channels';
    if (conversation) this.#renderConversation(conversation);
    else this.#conversationPane.hide();
    if (thread) this.#renderThread(conversation, thread);
    else this.#threadPane.hide();
    this.#markRead();
    renderChannels(byId('channel-list'), this.#model, conversation?.cid, hrefOf);
    byId('no-channels').hidden = this.#model.conversations.length > 0;
    const { unread } = this.#model;
    document.title = unread ? `(${unread}) Natterjack` : 'Natterjack';
  }

  #renderConversation(conversation) {
    const { cid, name, others } = conversation;
    this.#conversationPane.render({
      subject: cid,
      title: name,
      subtitle: subtitleOf(others),
      label: `Message ${name}`,
      messages: conversation.main.messages,
      me: this.#model.me,
      receipts: conversation.receipts(),
      threadHref: ({ id }) => hrefOf(cid, id),
      typists: conversation.typists(),
    });
  }

  #renderThread(conversation, thread) {
    const { threadId } = this.#route;
    for (const link of byId('thread').querySelectorAll('.back, .close')) link.href = hrefOf(conversation.cid);
    this.#threadPane.render({
      subject: threadId,
      title: 'Thread',
      subtitle: `in ${conversation.name}`,
      label: 'Reply',
      messages: thread.messages,
      me: this.#model.me,
      typists: conversation.typists(threadId),
    });
  }
}

function hrefOf(cid, threadId) {
  return `#/${[cid, threadId].filter(Boolean).map(encodeURIComponent).join('/')}`;
}

function subtitleOf(others) {
  const here = others.filter(({ online }) => online).map(({ id, name }) => name || id);
  if (others.length === 0) return 'Nobody else is here yet';
  if (others.length === 1) return isOnline(others) ? 'Online' : 'Offline';
  return `${plural(others.length + 1, 'member', 'members')}${here.length ? ` · ${nameList(here)} online` : ''}`;
}

/** An id that nobody else makes. */
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

function showConnection({ online, error }) {
  const text = error ? `Disconnected: ${error.message}` : 'Connection lost. Reconnecting…';
  byId('banner').textContent = online ? '' : text;
}

let problemTimer;

function showProblem(error) {
  const problem = byId('problem');
  problem.textContent = error.message;
  clearTimeout(problemTimer);
  problemTimer = setTimeout(() => (problem.textContent = ''), PROBLEM_SHOWN_MS);
}

// Signing in

/** The id that belongs to a name: ids have fewer characters. */
function idOf(name) {
  const plain = name.normalize('NFKD').toLowerCase().replace(/[^a-z0-9@_-]+/g, '-').replace(/^-+|-+$/g, '');
  return plain || [...name].map((character) => character.codePointAt(0).toString(16)).join('-');
}

/**
 * A token that only a server in development mode accepts: nothing is signed. In production the tokens come from your
 * own server, which knows who is signed in.
 */
function developmentToken(userId) {
  const encode = (value) => btoa(JSON.stringify(value)).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
  return `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ user_id: userId })}.devtoken`;
}

async function signIn(name) {
  const { api_key: apiKey } = await (await fetch('/demo/config.json')).json();
  const client = new Client({ apiKey, tokenProvider: developmentToken });
  const me = await client.connect({ id: idOf(name), name });
  sessionStorage.setItem(USER_KEY, name);
  byId('sign-in').hidden = true;
  byId('chat').hidden = false;
  await new Chat(client, me).start();
}

function main() {
  const name = sessionStorage.getItem(USER_KEY);
  if (name) signIn(name).catch(showProblem);
  byId('sign-in').addEventListener('submit', (event) => {
    event.preventDefault();
    signIn(byId('name').value.trim()).catch(showProblem);
  });
  byId('sign-in').querySelector('button').disabled = false;
}

main();
