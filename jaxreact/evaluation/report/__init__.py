"""`report.html` of an evaluation: scores, clips and curves in one file that opens anywhere."""

from jaxreact.evaluation.report.page_file import NAME
from jaxreact.evaluation.report.report import write_evaluation_report

__all__ = ["NAME", "write_evaluation_report"]
