// What the page knows of users, channels and messages, and how events change it.
//
// Messages are never changed but replaced, so that whoever shows them sees by identity which are new. Applying an
// event twice does no more than applying it once.

import { nameList, timeKey } from './format.js';

/** Who types says so again every few seconds; who closed the page does not say that typing ended. */
const TYPING_LASTS_MS = 7_000;

/** Messages in their order: those that the server has by their time, then those on their way. */
export class MessageList {
  messages = [];

  get(id) {
    return this.messages.find((message) => message.id === id);
  }

  /** Adds or replaces a message. Returns whether it was not there before. */
  put(message) {
    const index = this.messages.findIndex(({ id }) => id === message.id);
    if (index >= 0) {
      this.messages = this.messages.with(index, message);
      this.#sort();
      return false;
    }
    this.messages = [...this.messages, message];
    this.#sort();
    return true;
  }

  putAll(messages) {
    const byId = new Map([...this.messages, ...messages].map((message) => [message.id, message]));
    this.messages = [...byId.values()];
    this.#sort();
  }

  remove(id) {
    this.messages = this.messages.filter((message) => message.id !== id);
  }

  #sort() {
    const key = (message) => `${message.status ? 1 : 0}${timeKey(message.created_at)}`;
    this.messages.sort((a, b) => (key(a) < key(b) ? -1 : 1));
  }
}

/** A channel as one user sees it. */
class Conversation {
  main = new MessageList();
  /** Replies by the id of the message that they answer, of those threads that were opened. */
  threads = new Map();
  members = new Map();
  /** By user id: up to when he or she has read. */
  reads = new Map();
  unread = 0;
  /** Whether there are messages before the first one here. */
  hasOlder = true;
  #typing = new Map();

  constructor(state, model, pageSize) {
    this.channel = state.channel;
    this.main.putAll(state.messages);
    this.hasOlder = state.messages.length >= pageSize;
    for (const member of state.members) this.members.set(member.user_id ?? member.user.id, member);
    for (const { user, last_read, unread_messages } of state.read ?? []) {
      this.reads.set(user.id, last_read);
      if (user.id === model.me.id) this.unread = unread_messages;
    }
    this.model = model;
  }

  get cid() {
    return this.channel.cid;
  }

  /** Its name, or else those of the other members. */
  get name() {
    if (this.channel.name) return this.channel.name;
    const others = this.others.map(({ id }) => this.model.nameOf(id));
    return others.join(', ') || 'Only you';
  }

  get others() {
    return [...this.members.keys()].filter((id) => id !== this.model.me.id).map((id) => this.model.user(id));
  }

  get lastMessage() {
    return this.main.messages.findLast((message) => message.type !== 'deleted');
  }

  /** When something last happened, to sort by. */
  get activity() {
    return timeKey(this.lastMessage?.created_at ?? this.channel.last_message_at ?? this.channel.created_at);
  }

  /** The lists that a message belongs to. A thread begins with the message that is answered in it. */
  listsOf(message) {
    const isInMain = !message.parent_id || message.show_in_channel;
    return [isInMain && this.main, this.threads.get(message.parent_id ?? message.id)].filter(Boolean);
  }

  /** Takes the messages of a thread: first the one that is answered. */
  openThread(messages) {
    const thread = this.threads.get(messages[0].id) ?? new MessageList();
    thread.putAll(messages);
    this.threads.set(messages[0].id, thread);
  }

  /** A message wherever it is known from. */
  find(id) {
    return [this.main, ...this.threads.values()].map((list) => list.get(id)).find(Boolean);
  }

  /** Puts another state of a message in the place of the one that is known, if it is. */
  update(message) {
    const was = this.find(message.id);
    if (!was) return;
    // Events do not say which reactions are one's own.
    const { own_reactions } = was;
    for (const list of this.listsOf(message)) if (list.get(message.id)) list.put({ ...message, own_reactions });
  }

  /** The names of those who type in the channel, or in a thread. */
  typists(parentId = null) {
    const now = Date.now();
    return [...this.#typing.values()]
      .filter((typist) => typist.parentId === parentId && typist.until > now)
      .map(({ userId }) => this.model.nameOf(userId));
  }

  setTyping(userId, parentId, isTyping) {
    const key = `${userId} ${parentId}`;
    if (isTyping) this.#typing.set(key, { userId, parentId, until: Date.now() + TYPING_LASTS_MS });
    else this.#typing.delete(key);
  }

  /** What to say below one's own messages: who has read up to there, and that the last one was sent. */
  receipts() {
    const { id: me } = this.model.me;
    const own = this.main.messages.filter(({ user, type, status }) => user.id === me && type !== 'deleted' && !status);
    const readers = new Map();
    for (const [id, lastRead] of this.reads) {
      const last = own.findLast((message) => timeKey(message.created_at) <= timeKey(lastRead));
      if (id !== me && last) readers.set(last.id, [...(readers.get(last.id) ?? []), this.model.nameOf(id)]);
    }
    const receipts = new Map();
    if (own.length > 0) receipts.set(own.at(-1).id, 'Sent');
    for (const [id, names] of readers) receipts.set(id, `Seen by ${nameList(names)}`);
    return receipts;
  }
}

export class Model {
  me;
  #users = new Map();
  #conversations = new Map();
  #pageSize;

  /** `pageSize` is the number of messages that are asked for at a time. */
  constructor(me, pageSize) {
    this.me = me;
    this.#pageSize = pageSize;
    this.see(me);
  }

  /** The conversations, the one with the newest message first. */
  get conversations() {
    return [...this.#conversations.values()].sort((a, b) => (a.activity > b.activity ? -1 : 1));
  }

  get unread() {
    return this.conversations.reduce((sum, { unread }) => sum + unread, 0);
  }

  conversation(cid) {
    return this.#conversations.get(cid);
  }

  user(id) {
    return this.#users.get(id) ?? { id };
  }

  nameOf(id) {
    return this.user(id).name || id;
  }

  /** Remembers what is said of a user. */
  see(user) {
    if (user) this.#users.set(user.id, { ...this.#users.get(user.id), ...user });
  }

  /** Replaces all conversations by what the server says. */
  replaceAll(states) {
    const before = this.#conversations;
    this.#conversations = new Map();
    for (const state of states) {
      const conversation = this.put(state);
      const was = before.get(conversation.cid);
      if (!was) continue;
      conversation.threads = was.threads;
      // What was typed while the connection was gone, and could not be sent.
      conversation.main.putAll(was.main.messages.filter(({ status }) => status));
    }
  }

  /** Takes a channel as the server describes it. */
  put(state) {
    for (const { user } of state.members) this.see(user);
    for (const { user } of state.messages) if (!this.#users.has(user.id)) this.see(user);
    const conversation = new Conversation(state, this, this.#pageSize);
    this.#conversations.set(conversation.cid, conversation);
    return conversation;
  }

  /** Changes what is known by an event. */
  apply(event) {
    const change = CHANGES[event.type];
    const conversation = this.conversation(event.cid);
    if (event.type.startsWith('user.')) this.see(event.user);
    if (change && conversation) change.call(this, conversation, event);
    if (event.type === 'notification.mark_read' && !event.cid) {
      for (const each of this.#conversations.values()) each.unread = 0;
    }
  }

  forget(cid) {
    this.#conversations.delete(cid);
  }
}

/** What each type of event does to its conversation. `this` is the model. */
const CHANGES = {
  'message.new'(conversation, { message, user }) {
    if (!this.user(user.id).name) this.see(user);
    conversation.setTyping(user.id, message.parent_id ?? null, false);
    const isKnown = Boolean(conversation.find(message.id));
    for (const list of conversation.listsOf(message)) list.put(message);
    if (user.id === this.me.id) {
      if (!message.parent_id) conversation.unread = 0;
    } else if (!isKnown && !message.silent && (!message.parent_id || message.show_in_channel)) {
      conversation.unread += 1;
    }
  },
  'message.updated'(conversation, { message }) {
    conversation.update(message);
  },
  'message.undeleted'(conversation, { message }) {
    conversation.update(message);
  },
  'message.deleted'(conversation, { message, hard_delete }) {
    if (!hard_delete) return conversation.update(message);
    for (const list of conversation.listsOf(message)) list.remove(message.id);
    conversation.threads.delete(message.id);
  },
  'reaction.new': applyReaction,
  'reaction.updated': applyReaction,
  'reaction.deleted': applyReaction,
  'message.read'(conversation, { user, created_at, thread }) {
    if (thread) return;
    conversation.reads.set(user.id, created_at);
    if (user.id === this.me.id) conversation.unread = 0;
  },
  'notification.mark_read'(conversation, { thread_id, unread_messages = 0 }) {
    if (!thread_id) conversation.unread = unread_messages;
  },
  'notification.mark_unread'(conversation, { unread_messages }) {
    conversation.unread = unread_messages;
  },
  'typing.start'(conversation, { user, parent_id }) {
    conversation.setTyping(user.id, parent_id ?? null, true);
  },
  'typing.stop'(conversation, { user, parent_id }) {
    conversation.setTyping(user.id, parent_id ?? null, false);
  },
  'member.added'(conversation, { member }) {
    this.see(member.user);
    conversation.members.set(member.user_id, member);
  },
  'member.removed'(conversation, { member, user }) {
    const id = member?.user_id ?? user.id;
    conversation.members.delete(id);
    if (id === this.me.id) this.forget(conversation.cid);
  },
  'channel.updated'(conversation, { channel }) {
    conversation.channel = { ...conversation.channel, ...channel };
  },
  'channel.truncated'(conversation) {
    conversation.main = new MessageList();
    conversation.threads.clear();
    conversation.unread = 0;
  },
  'channel.deleted'({ cid }) {
    this.forget(cid);
  },
  'channel.hidden'({ cid }) {
    this.forget(cid);
  },
  'notification.channel_deleted'({ cid }) {
    this.forget(cid);
  },
  'notification.removed_from_channel'({ cid }) {
    this.forget(cid);
  },
};

function applyReaction(conversation, { type, message, reaction, user }) {
  const was = conversation.find(message.id);
  if (!was) return;
  conversation.update(message);
  if (user.id !== this.me.id) return;
  const own_reactions = (was.own_reactions ?? []).filter((own) => own.type !== reaction.type);
  if (type !== 'reaction.deleted') own_reactions.push(reaction);
  for (const list of conversation.listsOf(message)) {
    if (list.get(message.id)) list.put({ ...message, own_reactions });
  }
}
