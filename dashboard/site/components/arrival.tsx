/** Going to another page: it begins at its top, its title is said, and the keyboard is in it. */
import { type RefObject, useEffect, useRef, useState } from 'react';
import { type Location, ScrollRestoration, useLocation } from 'react-router';
import { storage } from '../storage.ts';

/** Stands after the page, which gives the document its title first. */
export function Arrival({ content }: { content: RefObject<HTMLElement | null> }) {
  const { pathname } = useLocation();
  const before = useRef(pathname);
  const [title, setTitle] = useState('');
  useEffect(() => {
    if (before.current === pathname) return;
    before.current = pathname;
    setTitle(document.title);
    content.current?.focus({ preventScroll: true });
  }, [pathname, content]);
  useEffect(keepPlace, []);
  return (
    <>
      <p className="hidden" role="status">
        {title}
      </p>
      <ScrollRestoration getKey={scrollKey} />
    </>
  );
}

/** Where the page was left, in this tab. */
const leftAt = 'left at';
/** What a page shows comes after it: so long it is waited for, in milliseconds. */
const patienceMs = 5_000;

/** A page that is loaded again goes back to where it was, as soon as it has grown so long, unless somebody moves it. */
function keepPlace(): () => void {
  const moved = ['wheel', 'touchmove', 'keydown', 'pointerdown'];
  const [address, top] = storage('sessionStorage')?.getItem(leftAt)?.split(' ') ?? [];
  const growing = new ResizeObserver(() => {
    scrollTo(0, Number(top));
    if (scrollY >= Number(top)) stop();
  });
  const stop = () => {
    growing.disconnect();
    for (const event of moved) removeEventListener(event, stop);
  };
  const leave = () => storage('sessionStorage')?.setItem(leftAt, `${location.href} ${Math.round(scrollY)}`);
  addEventListener('pagehide', leave);
  const [{ type }] = performance.getEntriesByType('navigation') as [PerformanceNavigationTiming];
  if (type === 'reload' && address === location.href) {
    growing.observe(document.body);
    for (const event of moved) addEventListener(event, stop);
    setTimeout(stop, patienceMs);
  }
  return () => {
    stop();
    removeEventListener('pagehide', leave);
  };
}

const keys = new Map<string, string>();
let last: Location | null = null;

/**
 * Under what name a scroll position is kept: each visit of a page has its own, so that back is where one
 * was. Other filters are the same visit, and the page does not jump.
 */
function scrollKey(location: Location): string {
  const isSameVisit = last?.pathname === location.pathname;
  const key = keys.get(location.key) ?? (isSameVisit ? keys.get(last!.key)! : location.key);
  keys.set(location.key, key);
  last = location;
  return key;
}
