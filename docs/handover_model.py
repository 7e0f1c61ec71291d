#!/usr/bin/env python3
"""The tables of PROTOCOL.md section 2 as a model, explored exhaustively: every order of message loss, delay and
duplication, every crash and restart of either agent and of either guest process, between a record and its act too,
within the bounds below. Beside a move and its second attempt it has what was added to the tables since: a link that
is lost or silent in pre-copy or in the switch-over, RESUME with all its answers, both windows running out at any time,
a cancel over a link that may be silent, a waiting QEMU that ends, guards that die, a receiver that ends by itself, and
somebody's cont on the loaded guest at the target before it is granted. Checked in every reachable state:

  one    never both guests running; never the source's while the target may still start its own
  once   the source's guest never runs again after the target's was started by a grant: no history is lived twice
  no     REFUSED is not said while the guest that it refuses still runs, or could
  out    from every state a settled one can be reached

Not modelled, because no state here changes by it: RESERVED, where a target has made nothing yet (the model begins with
the first page); and an audit, which comes between J(DONE) and the end of the source's guest. That end comes at any time behind
J(DONE) in the model, and a crash before it too: whoever takes over ends the guest, audited or not.

Without disks nothing can refuse somebody's cont at the target while the source's guest runs: until the agent there
notices, both do. With disks the image lock forbids it, and only that is checked.

Run: python3 handover_model.py [--no-disks] [mutant]; a minute and a half, and 3 GiB.
Mutants break one rule each and must be caught: resume-in-granted, activate-after-refuse, guard-blind,
grant-before-journal, boot-blind (a boot does not ask), loaded-goes-on (a RESUME finds the state loaded, and the target
goes on all the same), said-first
(a guest is refused before it was ended)."""
import sys
from array import array
from collections import deque

DISKS = '--no-disks' not in sys.argv
mutant = next((a for a in sys.argv[1:] if not a.startswith('--')), '')
CRASHES, LOSSES, EPOCHS, RESUMES, STRAYS = 1, 1, 2, 2, 2

FIELDS = ('sj', 'sa', 'sg', 'tj', 'ta', 'tg', 'net', 'up', 'cr', 'lo', 'asked', 'g', 'h', 'stray')
# sj, tj  journals: (state, epoch)          sa, ta  agents: state, or None when dead
# sg      source guest: run paused gone     tg      target guest: none loaded astray held run gone (never ran) dead (ran)
#         astray: runs because somebody said so; held: it did, and was paused again
# net     messages under way                up      whether anything gets through
# g, h    generation that the source asked for last, that the target is in     stray   how often somebody's hand was at it
S0 = (('OWNED', 0), 'PRECOPY', 'run', ('NONE', 0), 'RECEIVING', 'none', frozenset(), True, 0, 0, False, 1, 1, 0)
LOCKED = ('astray', 'held', 'run')      # a target guest in one of these has the images' locks


def steps(s, once):
    sj, sa, sg, tj, ta, tg, net, up, cr, lo, asked, g, h, stray = s

    def n(**k):
        return tuple(k.get(name, value) for name, value in zip(FIELDS, s))

    def eat(m):
        return {m} if once else set()   # a message may also arrive again

    def send(*m):
        return net | set(m) if up else net

    e, te = sj[1], tj[1]
    free = not DISKS or tg not in LOCKED

    # --- source
    if sa == 'PRECOPY':
        if sg == 'run' and e < EPOCHS:
            yield 'pause', n(sj=('SWITCHOVER', e + 1), sa='SWITCHOVER', sg='paused', net=send(('COMPLETE', e + 1, g)))
        yield 'link is lost in pre-copy', n(sa='LOST')          # known, or only silent for too long
        yield 'source ends (error, its guard died)', n(sa='END', net=send(('CANCEL', e)))
        yield 'cancel', n(sa='PARTING', net=send(('CANCEL', e)))
    if sa == 'SWITCHOVER':
        yield 'give up', n(sj=('OWNED', e), sa='OWNED', net=send(('CANCEL', e)))
        yield 'cancel', n(sj=('OWNED', e), sa='OWNED-PARTING', net=send(('CANCEL', e)))
        yield 'link is lost in the switch-over', n(sj=('OWNED', e), sa='OWNED-LOST')
        if ('READY', e) in net:
            journal = sj if mutant == 'grant-before-journal' else ('GRANTED', e)
            yield 'grant', n(sj=journal, sa='GRANTED', net=send(('GRANT', e)) - eat(('READY', e)))
    for name, after in (('OWNED', 'END'), ('OWNED-LOST', 'LOST'), ('OWNED-PARTING', 'PARTING')):
        if sa == name and sg == 'paused' and free:
            yield 'resume', n(sg='run', sa=after)
    if sa in ('LOST', 'PARTING'):
        if up and g < 1 + RESUMES:
            yield 'RESUME', n(g=g + 1, net=net | {('RESUME', e, g + 1)})
        if sa == 'LOST' and ('WELCOME', g) in net:
            yield 'goes on', n(sa='PRECOPY', net=net - eat(('WELCOME', g)))
        if sa == 'PARTING' and ('WELCOME', g) in net:
            yield 'cancel is heard', n(sa='END', net=send(('CANCEL', e)) - eat(('WELCOME', g)))
        yield 'no way back', n(sa='END')                        # refused, no such session, or the window is over
    if sa in ('PRECOPY', 'SWITCHOVER') and ('CANCEL BACK',) in net:
        yield 'target ended it', n(sj=('OWNED', e) if sa == 'SWITCHOVER' else sj, net=net - eat(('CANCEL BACK',)),
                                   sa='OWNED' if sa == 'SWITCHOVER' else 'END')
    if sa == 'GRANTED':
        if ('RUNNING', e) in net:
            yield 'done', n(sj=('DONE', e), sa='DONE', net=net - eat(('RUNNING', e)))
        for no in ('REFUSED', 'RETURNED'):
            if (no, e) in net:
                yield no.lower(), n(sj=('OWNED', e + 1), sa='OWNED', net=net - eat((no, e)))
        if up:
            yield 'ask', n(net=send(('STATUS', e)))
        yield 'in doubt', n(asked=True)
        if mutant == 'resume-in-granted' and sg == 'paused' and free:
            yield 'impatient', n(sa='END', sg='run')
    if sa == 'DONE' or sa is None and sj[0] == 'DONE':
        if sg != 'gone':
            yield 'end the guest', n(sg='gone', sa='END')
    if sa is None:                                              # the guard, settle, or a later agent; or nobody for long
        if sj[0] == 'OWNED' and sg == 'paused' and free:
            yield 'guard resumes', n(sg='run', sa='END')
        elif sj[0] == 'GRANTED':
            yield 'settle', n(sa='GRANTED')
            if mutant == 'guard-blind' and free and sg == 'paused':
                yield 'blind', n(sg='run', sa='END')
        elif sj[0] == 'SWITCHOVER':
            yield 'guard owns', n(sj=('OWNED', e), sa='OWNED' if sg == 'paused' else 'END')
    # A machine whose disks were the guest: a reset takes its journal too, and its boot asks over a new link. It asks for every
    # epoch of this migration; those before e were another one's here, whose name is another too.
    if sg == 'paused' and sj[0] in ('SWITCHOVER', 'GRANTED') and cr < CRASHES:
        yield 'journal lost at a reset', n(sj=('LOST', e), sa=None, cr=cr + 1, net=frozenset(
            m for m in net if m[0] in ('COMPLETE', 'GRANT', 'CANCEL', 'STATUS')))
    if sj[0] == 'LOST':
        for m in range(e, EPOCHS + 1):
            if up:
                yield 'boot asks', n(net=send(('STATUS', m)))
            if ('RUNNING', m) in net:
                yield 'stays down', n(sj=('DONE', m), net=net - eat(('RUNNING', m)))
            for no in ('REFUSED', 'RETURNED'):
                if (no, m) in net:
                    yield 'boots', n(sj=('OWNED', m), sg='run', sa='END', net=net - eat((no, m)))
        yield 'stays down, in doubt', n(asked=True)
        if mutant == 'boot-blind':
            yield 'boots', n(sj=('OWNED', e), sg='run', sa='END')
    if sa == 'END' and sg == 'run' and ta == 'END' and tg in ('none', 'gone') and tj[0] != 'ACTIVE' and e < EPOCHS and up:
        # Another migration with a fresh target: what is left of this one's is not for its ears.
        old = {m for m in net if m[0] in ('RESUME', 'WELCOME', 'CANCEL BACK')}
        yield 'second attempt', n(sa='PRECOPY', ta='RECEIVING', tg='none', net=net - old, g=1, h=1)

    # --- target
    for m in net:
        k = m[0]
        if k == 'COMPLETE' and ta == 'RECEIVING' and tg == 'none' and m[1] > te and m[2] == h:
            yield 'load', n(tj=('PREPARED', m[1]), ta='READY', tg='loaded', net=send(('READY', m[1])) - eat(m))
        if k == 'CANCEL':
            if ta == 'READY' and m[1] == te and tg != 'astray':
                yield 'cancelled', n(tj=('REFUSED', te), ta='REFUSED', net=net - eat(m))
            if ta in ('RECEIVING', 'KEEPING'):
                yield 'cancelled', n(ta='END', net=net - eat(m))
        if k == 'RESUME' and m[2] > h and m[1] >= (te if ta == 'READY' else 0):
            drained = frozenset(x for x in net if x[0] in ('RESUME', 'STATUS')) - eat(m)
            if ta in ('RECEIVING', 'KEEPING') or ta == 'READY' and mutant == 'loaded-goes-on':
                yield 'goes on', n(ta='RECEIVING', h=m[2], net=drained | ({('WELCOME', m[2])} if up else set()))
            elif ta == 'READY' and tg != 'astray':
                yield 'RESUME is refused', n(tj=('REFUSED', te), ta='REFUSED', net=drained)
        if k in ('GRANT', 'STATUS') and ta is not None and m[1] == te:
            if ta == 'READY':
                if k == 'GRANT':                                # STATUS before GRANT: READY is no answer
                    yield 'active', n(tj=('ACTIVE', te), ta='ACTIVE', net=net - eat(m))
            elif tj[0] == 'REFUSED':
                if mutant == 'activate-after-refuse' and tg == 'loaded':
                    yield 'late', n(tj=('ACTIVE', te), ta='ACTIVE')
                elif tg not in ('loaded', 'held', 'astray'):
                    yield 'refused', n(net=send(('REFUSED', te)) - eat(m))
            elif tj[0] in ('RETURNED', 'RUNNING'):
                yield 'answer', n(net=send((tj[0], te)) - eat(m))
    if ta == 'RECEIVING':
        yield 'link is lost at the target', n(ta='KEEPING')
        yield 'waiting QEMU or its guard ends, cancel', n(ta='END', net=send(('CANCEL BACK',)))
    if ta == 'KEEPING':
        yield 'the window is over', n(ta='END')
    if ta == 'READY':
        if tg == 'astray':
            yield 'notice', n(tg='held')
        else:
            yield 'refuse', n(tj=('REFUSED', te), ta='REFUSED',
                              net=send(('REFUSED', te)) if mutant == 'said-first' else net)
    if tg in ('loaded', 'held') and ta == 'READY' and stray < STRAYS and (not DISKS or sg == 'paused' or sg == 'gone'):
        yield "somebody's cont", n(tg='astray', stray=stray + 1)
    if ta in ('REFUSED', None) and tj[0] == 'REFUSED' and tg in ('loaded', 'held', 'astray') \
            and mutant != 'activate-after-refuse':
        yield 'quit the loaded guest', n(tg='gone', ta='END', net=send(('REFUSED', te)))
    if ta == 'REFUSED' and tg not in ('loaded', 'held', 'astray'):
        yield 'end', n(ta='END', net=send(('REFUSED', te)))
    if ta == 'ACTIVE':
        if tg in ('loaded', 'held', 'astray'):
            yield 'resume', n(tg='run', tj=('RUNNING', te), ta='END', net=send(('RUNNING', te)))
            yield 'resumed, not yet written', n(tg='run', ta='ACTIVE')
            if tg == 'loaded':
                yield 'return', n(tg='gone', tj=('RETURNED', te), ta='END', net=send(('RETURNED', te)))
        if tg == 'run':
            yield 'write', n(tj=('RUNNING', te), ta='END', net=send(('RUNNING', te)))
        if tg in ('gone', 'dead'):
            yield 'operator', n(asked=True)
    if ta is None:                                              # a guard, settle or a later receive reads the journal
        if tj[0] == 'PREPARED':
            yield 'restart: refuse', n(tj=('REFUSED', te), ta='REFUSED')
        elif tj[0] == 'ACTIVE':
            yield 'restart: active', n(ta='ACTIVE')
        elif tj[0] != 'REFUSED' or tg not in ('loaded', 'held', 'astray'):
            yield 'restart', n(ta='END')

    # --- faults
    if lo < LOSSES:
        for m in net:
            yield f'lose {m}', n(net=net - {m}, lo=lo + 1)
        if up:
            yield 'link down', n(up=False, net=frozenset(), lo=lo + 1)
    if not up:
        yield 'link up', n(up=True)
    if cr < CRASHES:
        if sa not in (None, 'END'):
            yield 'kill source agent', n(sa=None, cr=cr + 1)
        if ta is not None:
            yield 'kill target agent', n(ta=None, cr=cr + 1)
        if tg in ('loaded', 'held', 'astray', 'run'):
            yield 'target guest dies', n(tg='dead' if tg == 'run' else 'gone', cr=cr + 1)


def broken(s):
    sj, sa, sg, tj, ta, tg, net = s[:7]
    if tg in ('loaded', 'held', 'astray') and ('REFUSED', tj[1]) in net:
        return 'it is refused, and could still run'
    if sg != 'run':
        return None
    if tg == 'run' or tg == 'astray' and DISKS:
        return 'two guests run'
    if tg == 'dead':
        return 'the source runs again after the target ran'
    if sa == 'END' and tj[0] == 'ACTIVE' and tg in ('loaded', 'held') and ta in ('ACTIVE', None):
        return 'the source runs while the target may still start'
    return None


def settled(s):
    sj, sa, sg, tj, ta, tg, asked = s[0], s[1], s[2], s[3], s[4], s[5], s[10]
    return sg == 'run' and tg in ('none', 'gone') or tg == 'run' and sg == 'gone' or sj[0] == 'DONE' or asked


def main():
    index, order, back, q = {S0: 0}, [S0], [None], deque([0])
    sources, targets = array('i'), array('i')
    while q:
        i = q.popleft()
        s = order[i]
        bad = broken(s)
        if bad:
            path = []
            while back[i]:
                path.append(back[i][1])
                i = back[i][0]
            print('VIOLATION:', bad, '\n ', ' -> '.join(reversed(path)))
            return 1
        for once in (True, False):
            for name, t in steps(s, once):
                j = index.get(t)
                if j is None:
                    j = index[t] = len(order)
                    order.append(t)
                    back.append((i, name))
                    q.append(j)
                sources.append(i)
                targets.append(j)
    into = [[] for _ in order]
    for a, b in zip(sources, targets):
        into[b].append(a)
    good = [settled(s) for s in order]
    q = deque(i for i, ok in enumerate(good) if ok)
    while q:
        for p in into[q.popleft()]:
            if not good[p]:
                good[p] = True
                q.append(p)
    stuck = [s for s, ok in zip(order, good) if not ok]
    print(f'{len(order)} states, {len(sources)} steps, {len(stuck)} without a way out')
    for s in stuck[:5]:
        print('  ', s)
    return 1 if stuck else 0


sys.exit(main())
