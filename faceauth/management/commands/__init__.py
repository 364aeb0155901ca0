"""Commands speak the site's language, ``LANGUAGE_CODE``. Each one's `help` is translated when its
module is loaded: argparse takes no lazy text.
"""
