// The list of channels with what is new in each.

import { el, renderList } from './dom.js';
import { when } from './format.js';
import { avatar } from './message.js';

/** Shows the conversations as links; `openCid` is the one on show. */
export function renderChannels(container, model, openCid, hrefOf) {
  renderList(container, model.conversations, {
    key: ({ cid }) => cid,
    stamp: (conversation) => {
      const { cid, name, unread, lastMessage, others } = conversation;
      const typists = conversation.typists().join();
      const author = model.nameOf(lastMessage?.user.id);
      return [cid === openCid, name, unread, lastMessage, author, typists, isOnline(others)];
    },
    build: (conversation) => el('li', {}, buildLink(conversation, model, openCid, hrefOf)),
  });
}

/** Whether there is somebody else who is here; in a conversation of two that is the other one. */
export function isOnline(others) {
  return others.some(({ online }) => online);
}

function buildLink(conversation, model, openCid, hrefOf) {
  const { cid, name, unread, lastMessage, others } = conversation;
  const properties = {
    class: unread ? 'channel unread' : 'channel',
    href: hrefOf(cid),
    'aria-current': cid === openCid && 'page',
    'data-action': 'open',
  };
  const face = others.length === 1 && !conversation.channel.name ? others[0] : { id: cid, name };
  const badgeText = unread === 1 ? ' unread message' : ' unread messages';
  return el(
    'a',
    properties,
    buildFace(face, isOnline(others)),
    el('span', { class: 'name' }, name, isOnline(others) && spoken(', online')),
    lastMessage && el('time', { dateTime: lastMessage.created_at }, when(lastMessage.created_at)),
    el('span', { class: 'last' }, preview(conversation, model)),
    unread > 0 && el('span', { class: 'badge' }, String(unread), spoken(badgeText)),
  );
}

/** A picture with a dot for who is here. */
export function buildFace(user, isHere) {
  return el('span', { class: 'face', 'aria-hidden': 'true' }, avatar(user), isHere && el('span', { class: 'online' }));
}

/** Words for those who do not see the signs. */
export function spoken(text) {
  return el('span', { class: 'unseen' }, text);
}

function preview(conversation, model) {
  const { lastMessage } = conversation;
  const typists = conversation.typists();
  if (typists.length > 0) return `${typists[0]} is typing…`;
  if (!lastMessage) return 'No messages yet';
  const { user, text } = lastMessage;
  return `${user.id === model.me.id ? 'You' : model.nameOf(user.id)}: ${text}`;
}
