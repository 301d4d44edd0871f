import { useEffect, useRef, type ReactElement, type ReactNode } from "react";
import { Logo } from "../parts/logo.tsx";

export interface TroubleProps {
  readonly title: string;
  readonly children: ReactNode;
  readonly action: TroubleAction;
  /** What some may want instead. */
  readonly other?: TroubleAction;
}

interface TroubleAction {
  readonly label: string;
  readonly run: () => void;
}

/** A whole page that says in a sentence what is wrong and offers what to do. */
export function Trouble({ title, children, action, other }: TroubleProps): ReactElement {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Causeway`;
    heading.current?.focus();
  }, [title]);
  return (
    <main className="trouble" role="main">
      <span className="mark">
        <Logo size={56} />
      </span>
      <h1 ref={heading} tabIndex={-1}>
        {title}
      </h1>
      <p>{children}</p>
      <div className="row">
        <button type="button" className="button main" onClick={action.run}>
          {action.label}
        </button>
        {other !== undefined && (
          <button type="button" className="button" onClick={other.run}>
            {other.label}
          </button>
        )}
      </div>
    </main>
  );
}
