"""Asks the testing app and writes a JUnit report with what the standard library has."""
import os
import unittest
from urllib.request import urlopen
from xml.sax.saxutils import quoteattr


class Api(unittest.TestCase):
    def test_counts_words(self):
        with urlopen(os.environ["APP_URL"] + "/count", data=b"three small words") as answer:
            self.assertEqual(answer.read(), b'{"words": 3}')


result = unittest.TextTestRunner().run(unittest.defaultTestLoader.loadTestsFromTestCase(Api))
failures = "".join(f"<failure message={quoteattr(text)}/>" for _, text in result.failures + result.errors)
with open("report.xml", "w") as report:
    report.write(f'<testsuite name="api"><testcase name="counts words">{failures}</testcase></testsuite>')
raise SystemExit(not result.wasSuccessful())
