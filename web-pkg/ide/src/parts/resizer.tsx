import { useRef, type KeyboardEvent, type PointerEvent, type ReactElement } from "react";

export interface ResizerProps {
  readonly label: string;
  readonly width: number;
  readonly least: number;
  readonly usual: number;
  readonly most: number;
  /** Whether dragging to the right makes it wider. */
  readonly growsRight: boolean;
  onWidth(width: number): void;
}

/** The edge between two columns: to drag, to move with the arrow keys, and twice clicked to put back. */
export function Resizer({ label, width, least, usual, most, growsRight, onWidth }: ResizerProps): ReactElement {
  const grip = useRef<{ readonly x: number; readonly width: number } | null>(null);
  const sign = growsRight ? 1 : -1;
  const onPointerMove = ({ clientX }: PointerEvent) => {
    if (grip.current !== null) onWidth(grip.current.width + sign * (clientX - grip.current.x));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowLeft: -sign * STEP, ArrowRight: sign * STEP, Home: least - width, End: most - width }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    onWidth(width + step);
  };
  const letGo = () => {
    grip.current = null;
  };
  return (
    <div
      className="resizer"
      role="separator"
      aria-orientation="vertical"
      aria-label={label}
      aria-valuenow={width}
      aria-valuemin={least}
      aria-valuemax={most}
      tabIndex={0}
      onKeyDown={onKeyDown}
      onDoubleClick={() => onWidth(usual)}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        grip.current = { x: event.clientX, width };
      }}
      onPointerMove={onPointerMove}
      onPointerUp={letGo}
      onPointerCancel={letGo}
    />
  );
}

/** Pixels per press of an arrow key. */
const STEP = 16;
