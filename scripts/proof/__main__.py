#!/usr/bin/env python3
"""Does it help? The paper's claims (arXiv 2410.16166) in miniature: cell by cell, each with a result of its own.

    python scripts/proof --work WORK run                        what is not done yet; stop it at any time, start it again
    python scripts/proof --work WORK run --only 'downstream.trunk.*' --seeds 3 --sizes 500 1000 2000
    python scripts/proof --work WORK list                       every cell, and whether its result is there
    python scripts/proof tables                                 the tables of docs/evidence.md, from the results alone
    python scripts/proof plot                                   its figures, likewise

WORK as scripts/make_default_model.py leaves it after its step `data`; what is made here goes to WORK/proof. A cell runs in
a process of its own, has a limit (20 minutes at most, on two cores), and leaves bench/results/proof/CELL.json when it is
complete; until then it is run again. Cells named `prepare.*` make what others read and leave WORK/proof/done/CELL.json.
    prepare       the noisy pool, `aitqe enhance` over it, what the baseline makes of it, what ablations start from
    downstream    a small model trained on the pool as it came, filtered, enhanced, mixed; judged on clean unseen pairs
    distribution  what filtering removes, and what enhancing changes (`aitqe report --filter-below`)
    ablation      judges that learnt with and without contrastive samples and rewriting
Needs: pip install -r scripts/requirements-proof.txt, and the built program.
"""

import argparse
import pathlib
import sys

SCRIPTS = pathlib.Path(__file__).resolve().parent.parent
sys.path.append(str(SCRIPTS))

import cells  # noqa: E402
import settings  # noqa: E402


def parse():
    parser = argparse.ArgumentParser(prog="proof", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=pathlib.Path, help="folder of make_default_model.py; needed by run and list")
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("run", "list"):
        command = commands.add_parser(name)
        command.add_argument("--only", nargs="+", default=["*"], metavar="CELL", help="names or globs of cells")
        command.add_argument("--seeds", type=int, default=settings.NUM_SEEDS, help="default: %(default)s")
        command.add_argument("--sizes", type=int, nargs="+", default=settings.SIZES, help="pairs of the pool")
        command.add_argument("--device", default="cpu", help="of what PyTorch trains: cpu or cuda")
    commands.add_parser("tables")
    commands.add_parser("plot")
    one = commands.add_parser("cell", help="runs one cell in this process; `run` does it")
    one.add_argument("name")
    one.add_argument("--device", default="cpu")
    options = parser.parse_args()
    if options.command in ("run", "list", "cell") and options.work is None:
        parser.error("--work is needed")
    return options


def main():
    options = parse()
    if options.command == "tables":
        import tables
        tables.write()
    elif options.command == "plot":
        import plot
        plot.write()
    elif options.command == "cell":
        cells.run_here(cells.find(options.name), options.work.resolve(), options.device)
    else:
        chosen = cells.choose(cells.all_cells(options.seeds, options.sizes), options.only)
        if not chosen:
            sys.exit(f"--only {' '.join(options.only)}: no such cell (see list)")
        work = options.work.resolve()
        if options.command == "list":
            cells.print_list(chosen, work)
        else:
            sys.exit(cells.run(chosen, work, options.device))


if __name__ == "__main__":
    main()
