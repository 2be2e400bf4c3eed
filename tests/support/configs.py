"""Label configs for tests."""

from __future__ import annotations

from xml.sax.saxutils import quoteattr

CONFIG_A = """<View>
  <Text name="text" value="$text"/>
  <Choices name="label" toName="text" choice="multiple" required="true"
           requiredMessage="Leave one label ticked, or skip the task" showInline="true">
    <Choice value="billing" hint="charges, invoices, double payments"/>
    <Choice value="refund" hint="wants money back"/>
    <Choice value="shipping" hint="parcel late, lost or damaged"/>
    <Choice value="other"/>
  </Choices>
</View>"""

CONFIG_B = """<View>
  <Text name="text" value="$text"/>
  <Header value="Candidates" size="6"/>
  <TextArea name="candidates" toName="text" editable="false" maxSubmissions="0"/>
  <Header value="Label" size="6"/>
  <Choices name="label" toName="text" choice="single" required="true" showInline="true">
    <Choice value="billing"/><Choice value="refund"/><Choice value="shipping"/><Choice value="other"/>
  </Choices>
</View>"""

TAXONOMY = """<View>
  <Text name="text" value="$text"/>
  <Taxonomy name="tax" toName="text">
    <Choice value="Money" alias="money">
      <Choice value="Incoming" alias="in" hint="a payment"/><Choice value="out"/>
    </Choice>
    <Choice value="parcel"><Choice value="out"/></Choice>
  </Taxonomy>
</View>"""


def view(inner: str, tag: str = "Text", value: str = "$text") -> str:
    """A label config around controls."""
    return f'<View><{tag} name="text" value="{value}"/>{inner}</View>'


def choices(*labels: str, name: str = "label", to_name: str = "text", attributes: str = 'choice="multiple"') -> str:
    """A Choices tag."""
    inner = "".join(f"<Choice value={quoteattr(label)}/>" for label in labels)
    return f'<Choices name="{name}" toName="{to_name}" {attributes}>{inner}</Choices>'
