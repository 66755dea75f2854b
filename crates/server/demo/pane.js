// A list of messages with a field to write the next one: the conversation, and the thread beside it.

import { Composer } from './composer.js';
import { renderList } from './dom.js';
import { dayKey, nameList } from './format.js';
import { buildDay, buildMessage } from './message.js';

/** Messages of one author within this time share a head. */
const GROUP_MS = 5 * 60_000;
/** So close to the end of the list, the reader follows what is new. */
const NEAR_END_PX = 60;
/** So close to its beginning, older messages are fetched. */
const NEAR_BEGINNING_PX = 300;

export class Pane {
  composer;
  #root;
  #scroller;
  #list;
  #jump;
  #on;
  #shown = [];
  #first;
  #last;

  /** `on` has what messages and composer ask for, and `beginning` and `end`: the reader has come there. */
  constructor(root, on) {
    this.#root = root;
    this.#scroller = root.querySelector('.scroller');
    this.#list = root.querySelector('.messages');
    this.#jump = root.querySelector('.jump');
    this.#on = on;
    this.composer = new Composer(root.querySelector('.composer'), {
      ...on,
      editLast: () => this.#editLast(),
    });
    this.#scroller.addEventListener('scroll', () => this.#scrolled(), { passive: true });
    this.#jump.addEventListener('click', () => this.scrollToEnd());
    this.#list.addEventListener('keydown', (event) => this.#keydown(event));
    this.#list.addEventListener('focusin', ({ target }) => this.#makeReachable(target.closest('.message')));
    root.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') on.escape();
    });
  }

  get isAtEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    return scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
  }

  /** Shows a conversation or a thread, which `subject` names; `label` is that of its field. */
  render({ subject, title, subtitle, label, messages, me, receipts, threadHref, typists }) {
    const isOther = this.#root.dataset.subject !== subject;
    this.#root.dataset.subject = subject;
    this.#root.hidden = false;
    this.#root.querySelector('h2').textContent = title;
    this.#root.querySelector('.subtitle').textContent = subtitle;
    this.#root.querySelector('.typing').textContent = typingText(typists);
    this.composer.open(subject, label);

    const wasAtEnd = isOther || this.isAtEnd;
    const fromEnd = this.#scroller.scrollHeight - this.#scroller.scrollTop;
    this.#shown = entries(messages, me, receipts, threadHref);
    renderList(this.#list, this.#shown, {
      key: (entry) => entry.key,
      stamp: (entry) => entry.stamp,
      build: (entry) => (entry.day ? buildDay(entry.day) : buildMessage(entry.message, entry.view, this.#on)),
    });
    const [first, last] = [messages[0]?.id, messages.at(-1)];
    const hasNew = !isOther && last?.id !== this.#last;
    if (wasAtEnd || (hasNew && last?.user.id === me.id)) this.scrollToEnd();
    // Older messages came in above: what one read stays where it was.
    else if (first !== this.#first) this.#scroller.scrollTop = this.#scroller.scrollHeight - fromEnd;
    else if (hasNew) this.#jump.hidden = false;
    this.#first = first;
    this.#last = last?.id;
    if (!this.#list.contains(document.activeElement)) this.#makeReachable(this.#messages().at(-1));
  }

  hide() {
    this.#root.hidden = true;
    this.#root.dataset.subject = '';
  }

  scrollToEnd() {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#jump.hidden = true;
  }

  /** Moves the focus to a message, if it is here. */
  focusMessage(id) {
    this.#list.querySelector(`[data-key="${CSS.escape(id)}"]`)?.focus();
  }

  #scrolled() {
    if (this.#root.hidden) return;
    if (this.#scroller.scrollTop < NEAR_BEGINNING_PX) this.#on.beginning?.();
    if (!this.isAtEnd) return;
    this.#jump.hidden = true;
    this.#on.end();
  }

  #editLast() {
    const own = this.#shown.findLast(({ message, view }) => view?.isOwn && message.type !== 'deleted');
    // One that is still on its way cannot be changed.
    if (own && !own.message.status) this.#on.edit(own.message);
  }

  #messages() {
    return [...this.#list.querySelectorAll('.message')];
  }

  /** Tab leads to one message, arrows from one to the next. */
  #makeReachable(message) {
    if (!message || message.tabIndex === 0) return;
    for (const other of this.#list.querySelectorAll('.message[tabindex="0"]')) other.tabIndex = -1;
    message.tabIndex = 0;
  }

  #keydown(event) {
    const all = this.#messages();
    const index = all.indexOf(event.target);
    const targets = { ArrowUp: index - 1, ArrowDown: index + 1, Home: 0, End: all.length - 1 };
    if (index < 0 || !(event.key in targets)) return;
    event.preventDefault();
    all[targets[event.key]]?.focus();
  }
}

/** The messages and the days between them, each with all that it is shown by. */
function entries(messages, me, receipts, threadHref) {
  const list = [];
  let before = null;
  for (const message of messages) {
    const day = dayKey(message.created_at);
    const beginsDay = !before || dayKey(before.created_at) !== day;
    if (beginsDay) list.push({ key: `day ${day}`, day: message.created_at, stamp: [day] });
    const view = {
      isOwn: message.user.id === me.id,
      beginsGroup: beginsDay || !isSameGroup(before, message),
      receipt: receipts?.get(message.id),
      threadHref: threadHref?.(message),
    };
    list.push({ key: message.id, message, view, stamp: [message, view.beginsGroup, view.receipt] });
    before = message;
  }
  return list;
}

function isSameGroup(before, message) {
  const gap = Date.parse(message.created_at) - Date.parse(before.created_at);
  return before.user.id === message.user.id && gap < GROUP_MS;
}

function typingText(names) {
  if (names.length === 0) return '';
  return `${nameList(names)} ${names.length === 1 ? 'is' : 'are'} typing…`;
}
