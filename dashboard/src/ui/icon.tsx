const paths = {
  overview: 'M2.5 13.500h11M4 11V7.500M8 11V3.500M12 11V6',
  tasks: 'M2.5 4h11M2.5 8h11M2.5 12h7',
  errors:
    'M8 5v3.500M8 11h.01M7.1 2.6 1.9 11.800a1 1 0 0 0 .9 1.500h10.400a1 1 0 0 0 .9-1.500L8.9 2.600a1 1 0 0 0-1.8 0z',
  queues: 'M2.5 3h11v3h-11zM2.5 10h11v3h-11zM8 6v4',
  workers: 'M3 3h10v10H3zM6 6h4v4H6zM6 1v2M10 1v2M6 13v2M10 13v2M1 6h2M1 10h2M13 6h2M13 10h2',
  schedules: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 4.500V8l2.5 1.5',
  batches: 'M8 2 2 5l6 3 6-3zM2 8l6 3 6-3M2 11l6 3 6-3',
  bulk: 'M2.5 4.5 4 6l2.5-3M2.5 11 4 12.5 6.5 9.500M9 4.500h4.500M9 11h4.5',
  system: 'M2.5 3h11v4h-11zM2.5 9h11v4h-11zM5 5h.01M5 11h.01',
  limits: 'M2.5 5h5.5M12 5h1.5M2.5 11h1.5M8 11h5.5M10 3.2v3.6M6 9.2v3.6',
  search: 'M7 11.500a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM10.5 10.500l3 3',
  plus: 'M8 3v10M3 8h10',
  close: 'M4 4l8 8M12 4l-8 8',
  menu: 'M2.5 4.500h11M2.5 8h11M2.5 11.500h11',
  copy: 'M6 5.500h7v8H6zM10 5.500v-3H3v8h3',
  check: 'M3 8.5 6.5 12 13 4.5',
  pause: 'M5.5 3.500v9M10.5 3.500v9',
  play: 'M5 3.500v9l7-4.500z',
  retry: 'M13 8a5 5 0 1 1-1.5-3.600M13 2v3h-3',
  more: 'M3.5 8h.01M8 8h.01M12.5 8h.01',
  chevron: 'M6 4l4 4-4 4',
  key: 'M10 9.500a3.5 3.5 0 1 0-3.3-2.300L2.5 11.500v2h2l.5-1h1.500v-1.500l1.2-1.200c.7.4 1.5.7 2.3.700zM11 5.500h.01',
  trash: 'M3 4.500h10M6.5 4.500V3h3v1.500M4.5 4.500l.5 9h6l.5-9',
  bolt: 'M9 1.5 3.5 9H8l-1 5.500L12.5 7H8z',
} as const

export type IconName = keyof typeof paths

/** A picture beside words; it says nothing by itself. */
export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg
      aria-hidden="true"
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.4"
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      <path d={paths[name]} />
    </svg>
  )
}
